/** A batch to each of some partitions, again and again. */
import type { TopicPartition } from '../../../base/index.ts';
import type { Client } from '../../../client/index.ts';
import { Sending } from './sending.ts';
import type { SimWorld } from './world.ts';

export interface TrafficOptions {
  readonly everyMs: number;
  /** The run has failed when a batch is not acknowledged within it. */
  readonly timeoutMs: number;
}

export class Traffic {
  readonly #sendings: Sending[] = [];
  #isOver = false;

  constructor(
    world: SimWorld,
    client: Client,
    partitions: readonly TopicPartition[],
    { everyMs, timeoutMs }: TrafficOptions,
  ) {
    const send = (): void => {
      if (this.#isOver) return;
      this.#sendings.push(new Sending(world, client, partitions, { ids: ['traffic'], timeoutMs }));
      world.scheduler.after(everyMs, send);
    };
    send();
  }

  get isAcknowledged(): boolean {
    return this.#sendings.every((sending) => sending.isAcknowledged);
  }

  get isWherePossible(): boolean {
    return this.#sendings.every((sending) => sending.isWherePossible);
  }

  end(): void {
    this.#isOver = true;
  }
}
