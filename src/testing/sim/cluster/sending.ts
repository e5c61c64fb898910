/**
 * A batch to each of some partitions, for all that are in sync unless it asks for less; the history does not have it. What is
 * refused for a while is sent again.
 */
import type { TopicPartition } from '../../../base/index.ts';
import type { Client } from '../../../client/index.ts';
import { encodeValue } from '../../checkers/index.ts';
import type { SimWorld } from './world.ts';

export interface SendingOptions {
  readonly ids: readonly string[];
  readonly timeoutMs: number;
  /** Of each record; absent: a few. */
  readonly recordBytes?: number;
  readonly acks?: 'all' | 1;
}

export class Sending {
  readonly #world: SimWorld;
  readonly #waiting: Set<TopicPartition>;

  /** Of records with these `ids`. The run has failed when a batch is not acknowledged within `timeoutMs`. */
  constructor(
    world: SimWorld,
    client: Client,
    partitions: readonly TopicPartition[],
    { ids, timeoutMs, recordBytes = 10, acks = 'all' }: SendingOptions,
  ) {
    this.#world = world;
    this.#waiting = new Set(partitions);
    if (acks !== 'all') world.allAcks = false;
    const idempotence = acks === 'all';
    const limits = { requestTimeoutMs: timeoutMs, deliveryTimeoutMs: timeoutMs };
    const producer = client.producer({ ...limits, acks, idempotence });
    for (const one of this.#waiting) {
      const records = ids.map((id) => ({ partition: one.partition, value: encodeValue(id, recordBytes) }));
      producer.send(one.topic, records).then(
        () => this.#waiting.delete(one),
        (error: unknown) => world.fail(error),
      );
    }
  }

  get isAcknowledged(): boolean {
    return this.#waiting.size === 0;
  }

  /** True when only those partitions have not acknowledged it that have too few in sync. */
  get isWherePossible(): boolean {
    return [...this.#waiting].every(({ topic, partition }) => {
      const state = this.#world.findLeading(topic, partition)?.state;
      return state !== undefined && state.isr.isr.length < state.effectiveMinIsr;
    });
  }
}
