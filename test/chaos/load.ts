/** All clients of a run. */
import type { Failovers, Silences } from './failovers.ts';
import type { Observations } from './observations.ts';
import { ProducingClient, type ProducingListener, ReadingClient } from './workload.ts';

export const TOPIC = 'strict';
export const LOOSE_TOPIC = 'loose';
/** Acknowledges what no disk has. */
export const CACHING_TOPIC = 'caching';
export const PARTITIONS = 3;

export interface LoadOptions {
  readonly bootstrap: string;
  readonly seed: number;
  readonly producers: number;
  readonly history: Observations;
  readonly failovers: Failovers;
  readonly silences: Silences;
}

const FOR_EVER_MS = 10 ** 9;
const READER_MS_MAX = 20_000;

export class Load {
  readonly #producers: ProducingClient[];
  readonly #readers: ReadingClient[];
  readonly #lastAckMs = new Map<number, number>();
  #producing: Promise<void>[] = [];
  #reading: Promise<void>[] = [];

  constructor({ bootstrap, seed, producers, history, failovers, silences }: LoadOptions) {
    const listener: ProducingListener = {
      handleAck: (topic, partition, sentMs) => {
        failovers.handleAck(topic, partition, sentMs);
        if (topic !== TOPIC) return;
        silences.handleAck(partition);
        this.#lastAckMs.set(partition, Math.max(sentMs, this.#lastAckMs.get(partition) ?? 0));
      },
      handleRefusal: (...refusal) => failovers.handleRefusal(...refusal),
    };
    const producer = (name: string, topic: string, deliveryTimeoutMs: number): ProducingClient => {
      const requestTimeoutMs = Math.min(deliveryTimeoutMs, 10_000);
      const options = { acks: 'all', deliveryTimeoutMs, requestTimeoutMs } as const;
      const about = { name, topic, partitions: PARTITIONS, options };
      return new ProducingClient(about, bootstrap, seed, history, listener);
    };
    // Some give up soon, so that records that failed, or perhaps did, are in the history too.
    const patienceMs = (index: number): number => [120_000, 3000, 15_000, 800][index % 4] ?? 120_000;
    this.#producers = Array.from({ length: producers }, (_, index) =>
      producer(`p${index}`, TOPIC, patienceMs(index)),
    );
    this.#producers.push(producer('loose', LOOSE_TOPIC, 20_000));
    this.#producers.push(producer('caching', CACHING_TOPIC, 20_000));
    const reader = (name: string, topic: string, mayLose = false): ReadingClient =>
      new ReadingClient({ name, topic, partitions: PARTITIONS, mayLose }, bootstrap, seed, history);
    this.#readers = [
      reader('long-reader', TOPIC),
      reader('short-reader', TOPIC),
      reader('loose-reader', LOOSE_TOPIC),
      reader('caching-reader', CACHING_TOPIC, true),
    ];
  }

  start(): void {
    this.#producing = this.#producers.map((producer) => producer.run());
    this.#reading = this.#readers.map((reader, index) =>
      reader.run(index === 0 ? FOR_EVER_MS : READER_MS_MAX),
    );
  }

  /** Partitions of the topic in which nothing that was sent after `sinceMs` has been acknowledged. */
  silentSince(sinceMs: number): number[] {
    return Array.from({ length: PARTITIONS }, (_, partition) => partition).filter(
      (partition) => (this.#lastAckMs.get(partition) ?? 0) <= sinceMs,
    );
  }

  /** Resolves when what was sent is settled. */
  async stopProducing(): Promise<void> {
    for (const producer of this.#producers) producer.stop();
    await Promise.all(this.#producing);
  }

  async stopReading(): Promise<void> {
    for (const reader of this.#readers) reader.stop();
    await Promise.all(this.#reading);
  }
}
