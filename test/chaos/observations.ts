/**
 * What was seen of a run: what clients sent and read, judged as it comes, and whatever else did not hold. Readers read a topic
 * again and again, so the history is far too long to be kept; `--history` writes it to a file.
 */
import { appendFileSync } from 'node:fs';
import type { ConsumedBatch, Consumer } from '../../src/client/index.ts';
import {
  type CheckOptions,
  HistoryChecker,
  HistoryRecorder,
  readValue,
  type Verdict,
} from '../../src/testing/index.ts';
import { UnsyncedLosses } from './unsynced-losses.ts';

/** Problems that are kept. */
const PROBLEMS_MAX = 40;
/** Characters that are written to the file at a time. */
const BLOCK = 2 ** 20;

export class Observations {
  readonly recorder: HistoryRecorder;
  /** Beside what the history shows. */
  readonly problems: string[] = [];
  readonly unsynced: UnsyncedLosses;
  readonly #checker: HistoryChecker;
  readonly #file: string | undefined;
  #lines = '';

  constructor(options: CheckOptions, file?: string) {
    this.unsynced = new UnsyncedLosses(options);
    this.#checker = new HistoryChecker(options);
    this.#file = file;
    this.recorder = new HistoryRecorder(
      () => performance.now(),
      (event) => {
        this.#checker.add(event);
        this.unsynced.handle(event);
        if (file === undefined) return;
        this.#lines += `${JSON.stringify(event)}\n`;
        if (this.#lines.length > BLOCK) this.#write();
      },
    );
  }

  find(problem: string): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(problem);
  }

  /** Reads all partitions of `topic` from the beginning, as the process `who`, as long as `batches` go on. */
  async read(
    who: string,
    topic: string,
    partitions: number,
    batches: AsyncIterable<ConsumedBatch>,
  ): Promise<ReadonlyMap<number, number>> {
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    const positions = new Map(all.map(({ partition }) => [partition, 0]));
    this.recorder.note(who, {
      f: 'assign',
      positions: all.map((one) => ({ ...one, from: 'beginning' })),
    });
    for await (const { partition, records } of batches) {
      const read = records.map(
        ({ offset, key, value }) => [offset, readValue(value, contextOf(topic, key))] as const,
      );
      this.recorder.note(who, { f: 'poll', polled: [{ topic, partition, records: read }] });
      positions.set(partition, (records.at(-1)?.offset ?? -1) + 1);
    }
    return positions;
  }

  /** What a new client is told to be the ends of the partitions. */
  async askEnds(who: string, topic: string, partitions: number, consumer: Consumer): Promise<Ends> {
    const asked = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    const pending = this.recorder.invoke(who, { f: 'ends', partitions: asked });
    const ends = await consumer.endOffsets();
    pending.ok({ partitions: ends.map(({ partition, offset: end }) => ({ topic, partition, end })) });
    return new Map(ends.map(({ partition, offset }) => [partition, offset]));
  }

  /** Once, when all is over. What is found is among the problems then. */
  judge(): Verdict {
    if (this.#lines !== '') this.#write();
    const verdict = this.#checker.conclude();
    for (const { kind, message, events } of verdict.findings)
      this.find(`${kind}: ${message} (events ${events.join(', ')})`);
    for (const name of verdict.missing) this.find(`nothing was ${name}`);
    return verdict;
  }

  #write(): void {
    if (this.#file !== undefined) appendFileSync(this.#file, this.#lines);
    this.#lines = '';
  }
}

export type Ends = ReadonlyMap<number, number>;

/** What must come back beside the value. */
export function contextOf(topic: string, key: Buffer | string | null | undefined): string {
  return `${topic}/${key ?? ''}`;
}
