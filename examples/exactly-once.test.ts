/**
 * A bookkeeper that books each order once, or so it says. The naive one books, then stores how far it got: a crash between the
 * two books twice. The simulation finds it; the careful one passes the same seeds.
 */
import { type ProcessLife, type SimulationMain, simulateMany } from 'quorate/testing';
import { expect, it } from 'vitest';

/** A database. It outlives the bookkeeper, and each call to it is carried out whole or not at all. */
class Books {
  readonly booked: string[] = [];
  nextOffset = 0;
}

type Bookkeeper = (life: ProcessLife, books: Books) => Promise<void>;

const naive: Bookkeeper = async (life, books) => {
  for await (const { offset, order } of ordersFrom(life, await life.call(() => books.nextOffset))) {
    await life.call(() => books.booked.push(order));
    await life.call(() => {
      books.nextOffset = offset + 1;
    });
  }
};

const careful: Bookkeeper = async (life, books) => {
  for await (const { offset, order } of ordersFrom(life, await life.call(() => books.nextOffset))) {
    await life.call(() => {
      // One transaction. It asks whose turn it is, for a call of a former life may come late.
      if (books.nextOffset > offset) return;
      books.booked.push(order);
      books.nextOffset = offset + 1;
    });
  }
};

async function* ordersFrom(life: ProcessLife, offset: number) {
  const assignment = [{ topic: 'orders', partition: 0, from: { offset } }];
  for await (const record of life.client().consumer({ assignment }))
    yield { offset: record.offset, order: String(record.value) };
}

const story =
  (bookkeeper: Bookkeeper): SimulationMain =>
  async (world) => {
    const books = new Books();
    world.process('bookkeeper', (life) => bookkeeper(life, books));
    const producer = world.client('shop').producer();
    const orders = Array.from({ length: 100 }, (_, number) => `order-${number}`);
    for (const order of orders) {
      await producer.send('orders', { value: order });
      await world.after(world.random.integer(0, 100));
    }
    await world.heal();
    await world.until('every order is booked', () => books.nextOffset >= orders.length);
    expect(books.booked).toEqual(orders);
  };

const OPTIONS = { topics: [{ name: 'orders' }], faultsMs: 30_000, crashMeanMs: 1000 };
const SEEDS = 10;

it('the naive bookkeeper books an order twice', async () => {
  await expect(simulateMany(SEEDS, story(naive), OPTIONS)).rejects.toThrow(/^seed \d+: .*deeply equal/);
});

it('the careful one does not', async () => {
  await simulateMany(SEEDS, story(careful), OPTIONS);
});
