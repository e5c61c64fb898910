/** All clients of a run. */
import type { SimWorld } from '../world.ts';
import { SimAsker } from './sim-asker.ts';
import { SimBluntProducer } from './sim-blunt-producer.ts';
import { SimKeeper } from './sim-keeper.ts';
import { SimOperator } from './sim-operator.ts';
import { SimProducer } from './sim-producer.ts';
import { SimReader } from './sim-reader.ts';

export class Workload {
  readonly #producers: readonly SimProducer[];
  readonly #readers: readonly SimReader[];
  readonly #clients: readonly (
    | SimProducer
    | SimBluntProducer
    | SimReader
    | SimAsker
    | SimOperator
    | SimKeeper
  )[];
  readonly #keeper: SimKeeper | undefined;
  readonly #running: Promise<void>[] = [];
  isOver = false;

  constructor(world: SimWorld) {
    const { producers, bluntProducers: blunt = 0, readers, compacted } = world.options;
    this.#keeper = compacted === undefined ? undefined : new SimKeeper(world, compacted);
    this.#producers = Array.from({ length: producers }, (_, i) => new SimProducer(world, `producer-${i}`));
    this.#readers = Array.from({ length: readers }, (_, i) => new SimReader(world, `reader-${i}`));
    this.#clients = [
      ...this.#producers,
      ...Array.from({ length: blunt }, (_, i) => new SimBluntProducer(world, `blunt-${i}`)),
      ...this.#readers,
      new SimAsker(world),
      ...(world.options.operatorMs === undefined ? [] : [new SimOperator(world)]),
      ...(this.#keeper === undefined ? [] : [this.#keeper]),
    ];
  }

  /** Records that were acknowledged so far. */
  get acknowledged(): number {
    return this.#producers.reduce((sum, producer) => sum + producer.acknowledged, 0);
  }

  /** How often each reader was given records so far. */
  get readings(): readonly number[] {
    return this.#readers.map(({ readings }) => readings);
  }

  /** Reads what was kept; rejects with LawBroken. When all is over. */
  async judge(): Promise<void> {
    await this.#keeper?.judge();
  }

  start(): void {
    for (const client of this.#clients) this.#running.push(client.run());
  }

  /** Nothing new is begun; `isOver` once all that was begun has ended. */
  stop(): void {
    for (const client of this.#clients) client.stop();
    void Promise.all(this.#running).then(() => {
      this.isOver = true;
    });
  }
}
