/**
 * What the demo does to a cluster while a file is produced, and what it keeps of it: which lines were acknowledged, and for
 * how long each partition acknowledged nothing.
 */
import type { Client, Producer } from '../../client/index.ts';

/** Lines handed over together to one partition. */
export interface Chunk {
  readonly partition: number;
  /** Number of the first line, counted from 0 over the whole file. */
  readonly first: number;
  readonly lines: readonly Buffer[];
}

/** Header that carries a line's number, by which a line is known again. */
export const LINE_HEADER = 'line';

export class DemoProducer {
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #acknowledged = new Set<number>();
  readonly #lastAckMs = new Map<number, number>();
  readonly #longestSilenceMs = new Map<number, number>();
  readonly #pending = new Set<Promise<void>>();
  #failed = 0;

  constructor(client: Client, topic: string) {
    this.#producer = client.producer({ acks: 'all' });
    this.#topic = topic;
  }

  send(chunk: Chunk): void {
    const records = chunk.lines.map((value, index) => ({
      value,
      partition: chunk.partition,
      headers: { [LINE_HEADER]: String(chunk.first + index) },
    }));
    const sentMs = performance.now();
    const sending = this.#producer.send(this.#topic, records).then(
      () => this.#handleAck(chunk, sentMs),
      () => {
        this.#failed += records.length;
      },
    );
    this.#pending.add(sending);
    sending.then(() => this.#pending.delete(sending));
  }

  async finish(): Promise<void> {
    await Promise.all(this.#pending);
    await this.#producer.close();
  }

  get acknowledged(): ReadonlySet<number> {
    return this.#acknowledged;
  }

  get failed(): number {
    return this.#failed;
  }

  /** By partition: the longest time in which a record waited and none was acknowledged. */
  get longestSilenceMs(): ReadonlyMap<number, number> {
    return this.#longestSilenceMs;
  }

  #handleAck({ partition, first, lines }: Chunk, sentMs: number): void {
    for (let line = first; line < first + lines.length; line++) this.#acknowledged.add(line);
    const nowMs = performance.now();
    const sinceMs = Math.max(sentMs, this.#lastAckMs.get(partition) ?? sentMs);
    const silenceMs = nowMs - sinceMs;
    this.#lastAckMs.set(partition, nowMs);
    this.#longestSilenceMs.set(partition, Math.max(silenceMs, this.#longestSilenceMs.get(partition) ?? 0));
  }
}

export interface Verdict {
  readonly acknowledged: number;
  readonly read: number;
  /** Acknowledged, and not there, or there with other bytes. */
  readonly lost: number;
  readonly duplicated: number;
}

/** Reads everything back and compares it with what was sent, line by line. */
export async function judge(
  client: Client,
  topic: string,
  lines: readonly Buffer[],
  acknowledged: ReadonlySet<number>,
): Promise<Verdict> {
  await using consumer = client.consumer({ topic, from: 'beginning' });
  const seen = new Set<number>();
  let [read, duplicated, damaged] = [0, 0, 0];
  for await (const { records } of consumer.batchesUntilEnd())
    for (const record of records) {
      const line = Number(record.headers.find(({ key }) => key === LINE_HEADER)?.value?.toString());
      read++;
      if (seen.has(line)) duplicated++;
      else seen.add(line);
      if (record.value === null || lines[line]?.equals(record.value) !== true) damaged++;
    }
  let lost = damaged;
  for (const line of acknowledged) if (!seen.has(line)) lost++;
  return { acknowledged: acknowledged.size, read, lost, duplicated };
}
