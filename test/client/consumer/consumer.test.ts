import { describe, expect, it } from 'vitest';
import type { ConsumedRecord } from '../../../src/client/index.ts';
import { buildTransactionMarker } from '../../../src/log/record/index.ts';
import { type ClientWorld, clientWorld, rejection } from '../client-world.ts';

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `${from + i}`);

/** A topic with `count` records, in batches of `perBatch`. */
async function filled(world: ClientWorld, count: number, perBatch = 10, partitions = 1): Promise<void> {
  world.cluster.createTopic('orders', partitions);
  const producer = world.client.producer();
  for (let i = 0; i < count; i += perBatch) {
    const records = numbers(Math.min(perBatch, count - i), i).map((value) => ({ value }));
    await world.finish(producer.send('orders', records));
  }
}

async function collect(records: AsyncIterable<ConsumedRecord>, count = Infinity): Promise<string[]> {
  const values: string[] = [];
  for await (const record of records) {
    values.push(String(record.value));
    if (values.length >= count) break;
  }
  return values;
}

describe('consumer', () => {
  it('reads from the beginning to the end as it is now, and stops', async () => {
    const world = clientWorld();
    await filled(world, 100);
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    expect(await world.finish(collect(consumer.untilEnd()))).toEqual(numbers(100));
    for (const fetch of world.cluster.fetched) expect(fetch.partitions[0]?.fetchOffset).toBeLessThan(100);
  });

  it('gives back key, value, headers and timestamp as they were sent', async () => {
    const world = clientWorld();
    world.cluster.createTopic('orders');
    const headers = [
      { key: 'h', value: 'x' },
      { key: 'h', value: null },
    ];
    await world.finish(
      world.client.producer().send('orders', { key: 'k', value: null, headers, timestampMs: 42 }),
    );
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    const read = async () => {
      for await (const record of consumer) return record;
      return undefined;
    };
    const record = await world.finish(read());
    expect(record).toMatchObject({ topic: 'orders', partition: 0, offset: 0, timestampMs: 42, value: null });
    expect(record?.key?.toString()).toBe('k');
    expect(record?.headers).toEqual([
      { key: 'h', value: Buffer.from('x') },
      { key: 'h', value: null },
    ]);
  });

  it('from the end reads only what is sent once it is ready', async () => {
    const world = clientWorld();
    await filled(world, 10);
    const consumer = world.client.consumer({ topic: 'orders' });
    await world.finish(consumer.ready());
    const reading = collect(consumer, 2);
    await world.finish(world.client.producer().send('orders', [{ value: 'a' }, { value: 'b' }]));
    expect(await world.finish(reading)).toEqual(['a', 'b']);
  });

  it('begins inside a batch without giving the records below', async () => {
    const world = clientWorld();
    await filled(world, 30);
    const consumer = world.client.consumer({ topic: 'orders', from: { offset: 13 } });
    expect(await world.finish(collect(consumer.untilEnd()))).toEqual(numbers(17, 13));
  });

  it('begins at the first batch with the time, and at the end when there is none', async () => {
    const world = clientWorld();
    world.cluster.createTopic('orders');
    const producer = world.client.producer();
    for (const timestampMs of [100, 200, 300])
      await world.finish(producer.send('orders', { value: `${timestampMs}`, timestampMs }));
    const from = (timestampMs: number) => world.client.consumer({ topic: 'orders', from: { timestampMs } });
    expect(await world.finish(collect(from(150).untilEnd()))).toEqual(['200', '300']);
    expect(await world.finish(collect(from(301).untilEnd()))).toEqual([]);
  });

  it('keeps its place when a loop is left, and goes on there', async () => {
    const world = clientWorld();
    await filled(world, 30);
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    expect(await world.finish(collect(consumer, 7))).toEqual(numbers(7));
    expect(await world.finish(consumer.position({ topic: 'orders', partition: 0 }))).toBe(7);
    expect(await world.finish(consumer.lag())).toBe(23);
    expect(await world.finish(collect(consumer.untilEnd()))).toEqual(numbers(23, 7));
  });

  it('gives arrays of at most maxPollRecords, whatever the batches are, and keeps its place among them', async () => {
    const world = clientWorld();
    await filled(world, 25, 25);
    const options = { topic: 'orders', from: 'beginning', maxPollRecords: 10 } as const;
    const consumer = world.client.consumer(options);
    const position = () => world.finish(consumer.position({ topic: 'orders', partition: 0 }));
    const counts: number[] = [];
    const read = async (): Promise<void> => {
      for await (const { records } of consumer.batchesUntilEnd()) {
        counts.push(records.length);
        if (counts.length === 1) break;
      }
    };
    await world.finish(read());
    expect(await position()).toBe(10);
    await world.finish(read());
    expect([counts, await position()]).toEqual([[10, 10, 5], 25]);
    await world.finish(consumer.seek({ offset: 12 }));
    expect(await world.finish(collect(consumer, 1))).toEqual(['12']);
    expect(await position()).toBe(13);
    expect(() => world.client.consumer({ ...options, maxPollRecords: 0 })).toThrow(/maxPollRecords is 0/);
  });

  it('goes on for ever after it has read until an end', async () => {
    const world = clientWorld();
    await filled(world, 10);
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    await world.finish(collect(consumer.untilEnd()));
    const reading = collect(consumer, 1);
    await world.finish(world.client.producer().send('orders', { value: 'late' }));
    expect(await world.finish(reading)).toEqual(['late']);
  });

  it('after a seek gives nothing of what it had fetched before', async () => {
    const world = clientWorld();
    await filled(world, 50);
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    expect(await world.finish(collect(consumer, 3))).toEqual(numbers(3));
    await world.finish(consumer.seek({ offset: 40 }));
    expect(await world.finish(collect(consumer, 2))).toEqual(numbers(2, 40));
    await world.finish(consumer.seek('beginning'));
    expect(await world.finish(collect(consumer, 2))).toEqual(numbers(2));
  });

  it('drops the answer to a fetch that was under way before a seek', async () => {
    const world = clientWorld();
    await filled(world, 10);
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    await world.finish(collect(consumer, 10));
    await world.run(50);
    world.cluster.faults = (kind) => (kind === 'fetch' ? { thereMs: 100 } : {});
    await world.finish(consumer.seek({ offset: 5 }));
    await world.finish(world.client.producer().send('orders', { value: '10' }));
    expect(await world.finish(collect(consumer, 6))).toEqual(numbers(6, 5));
  });

  it('gives nothing of a paused partition and loses nothing of it', async () => {
    const world = clientWorld();
    world.cluster.createTopic('orders', 2);
    const producer = world.client.producer();
    await world.finish(
      producer.send(
        'orders',
        numbers(10).map((value) => ({ value: `a${value}`, partition: 0 })),
      ),
    );
    await world.finish(
      producer.send(
        'orders',
        numbers(10).map((value) => ({ value: `b${value}`, partition: 1 })),
      ),
    );
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    await world.finish(consumer.ready());
    await world.finish(collect(consumer, 3));
    await world.finish(consumer.pause({ topic: 'orders', partition: 0 }));
    const position = await world.finish(consumer.position({ topic: 'orders', partition: 0 }));
    const other = 10 - (await world.finish(consumer.position({ topic: 'orders', partition: 1 })));
    const only = await world.finish(collect(consumer, other));
    expect(only.every((value) => value.startsWith('b'))).toBe(true);
    await world.finish(consumer.resume());
    expect(await world.finish(collect(consumer.untilEnd()))).toEqual(
      numbers(10 - position, position).map((v) => `a${v}`),
    );
  });

  it('rejoins after the leader has moved, without a gap and without a repetition', async () => {
    const world = clientWorld();
    await filled(world, 20);
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    const reading = collect(consumer, 60);
    await world.run(10);
    world.cluster.moveLeader('orders', 0, 1);
    const producer = world.client.producer();
    await world.finish(
      producer.send(
        'orders',
        numbers(20, 20).map((value) => ({ value })),
      ),
    );
    world.cluster.kill(1);
    world.environment.timers.after(700, () => world.cluster.moveLeader('orders', 0, 2));
    await world.finish(
      producer.send(
        'orders',
        numbers(20, 40).map((value) => ({ value })),
      ),
    );
    expect(await world.finish(reading)).toEqual(numbers(60));
  });

  it('leaves a leader that is silent once another leads', async () => {
    const world = clientWorld();
    await filled(world, 10);
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    await world.finish(collect(consumer, 10));
    const reading = collect(consumer, 1);
    await world.run(100);
    world.cluster.frozen.add(0);
    world.cluster.moveLeader('orders', 0, 1);
    await world.finish(world.client.producer().send('orders', { value: 'late' }));
    expect(await world.finish(reading, 10_000)).toEqual(['late']);
  });

  it('names the range when the offset is outside and no reset is chosen', async () => {
    const world = clientWorld();
    await filled(world, 10);
    const consumer = world.client.consumer({ topic: 'orders', from: { offset: 500 } });
    const error = await world.finish(rejection(collect(consumer)));
    expect(error.code).toBe('OFFSET_OUT_OF_RANGE');
    expect(error.message).toContain('orders-0 holds offsets from 0 to before 10, not 500');
  });

  it('moves to the chosen end of the log when the offset is outside', async () => {
    const world = clientWorld();
    await filled(world, 10);
    const consumer = world.client.consumer({
      topic: 'orders',
      from: { offset: 500 },
      offsetReset: 'earliest',
    });
    expect(await world.finish(collect(consumer, 10))).toEqual(numbers(10));
  });

  it('goes on at the first record that is left when retention overtook it', async () => {
    const world = clientWorld();
    await filled(world, 30);
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    expect(await world.finish(collect(consumer, 11))).toEqual(numbers(11));
    await world.run(50);
    const partition = world.cluster.partition('orders');
    partition.log.splice(0, 2);
    partition.logStart = 20;
    await world.finish(consumer.seek({ offset: 11 }));
    expect(await world.finish(collect(consumer.untilEnd()))).toEqual(numbers(10, 20));
  });

  it('goes on at the cut when the log lost its end', async () => {
    const world = clientWorld();
    await filled(world, 30);
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    await world.finish(collect(consumer, 30));
    await world.run(20);
    world.cluster.partition('orders').log.length = 2;
    world.cluster.moveLeader('orders', 0, 1);
    await world.run(2000);
    await world.finish(world.client.producer().send('orders', { value: 'new' }));
    expect(await world.finish(collect(consumer, 1))).toEqual(['new']);
  });

  it('passes over control batches', async () => {
    const world = clientWorld();
    await filled(world, 10);
    const marker = buildTransactionMarker({
      type: 'commit',
      producerId: 1,
      producerEpoch: 0,
      coordinatorEpoch: 0,
      timestampMs: 1,
    });
    const partition = world.cluster.partition('orders');
    new DataView(marker.buffer, marker.byteOffset).setBigInt64(0, BigInt(partition.end));
    partition.log.push(marker);
    await world.finish(world.client.producer().send('orders', { value: 'after' }));
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    expect(await world.finish(collect(consumer.untilEnd()))).toEqual([...numbers(10), 'after']);
  });

  it('refuses a batch whose checksum is wrong', async () => {
    const world = clientWorld();
    await filled(world, 10);
    const bytes = world.cluster.partition('orders').log[0];
    if (bytes !== undefined) bytes[70] = (bytes[70] ?? 0) ^ 1;
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    expect((await world.finish(rejection(collect(consumer)))).code).toBe('CORRUPT_MESSAGE');
  });

  it('fetches no more than prefetchBytes ahead of a slow reader', async () => {
    const world = clientWorld();
    await filled(world, 4000, 100);
    const consumer = world.client.consumer({
      topic: 'orders',
      from: 'beginning',
      prefetchBytes: 6000,
      maxPartitionBytes: 2000,
    });
    expect(await world.finish(collect(consumer, 1))).toEqual(['0']);
    await world.run(5000);
    const highest = Math.max(...world.cluster.fetched.map((fetch) => fetch.partitions[0]?.fetchOffset ?? 0));
    expect(highest).toBeLessThan(1000);
    expect(await world.finish(collect(consumer.untilEnd()))).toHaveLength(3999);
  });

  it('reads a busy partition while an idle one waits at the same broker', async () => {
    const world = clientWorld({ brokers: 1 });
    world.cluster.createTopic('orders', 2);
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning', maxWaitMs: 500 });
    const producer = world.client.producer();
    const reading = collect(consumer, 20);
    for (let i = 0; i < 20; i++) {
      await world.finish(producer.send('orders', { value: `${i}`, partition: 0 }));
      await world.run(5);
    }
    await world.finish(reading);
    expect(world.environment.scheduler.nowMs).toBeLessThan(500);
  });

  it('ends the loop when it is closed and when its signal aborts', async () => {
    const world = clientWorld();
    await filled(world, 3);
    const abort = new AbortController();
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning', signal: abort.signal });
    const reading = collect(consumer);
    await world.run(100);
    abort.abort();
    expect(await world.finish(reading)).toEqual(numbers(3));
    const other = world.client.consumer({ topic: 'orders', from: 'beginning' });
    const more = collect(other);
    await world.run(100);
    await world.finish(world.client.close());
    expect(await world.finish(more)).toEqual(numbers(3));
  });

  it('gives batches of one partition each', async () => {
    const world = clientWorld();
    await filled(world, 30);
    const consumer = world.client.consumer({ topic: 'orders', from: 'beginning' });
    const read = async () => {
      const sizes: number[] = [];
      for await (const batch of consumer.batchesUntilEnd()) sizes.push(batch.records.length);
      return sizes;
    };
    expect(await world.finish(read())).toEqual([10, 10, 10]);
  });

  it('refuses a partition the topic does not have', async () => {
    const world = clientWorld();
    await filled(world, 3);
    const consumer = world.client.consumer({ topic: 'orders', partitions: [4] });
    expect((await world.finish(rejection(consumer.ready()))).message).toContain(
      'orders has partitions 0 to 0, not 4',
    );
  });
});
