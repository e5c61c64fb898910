import { SeededRandom } from '../../../src/base/index.ts';
import type { CleaningOutcome } from '../../../src/log/compaction/cleaning-outcome.ts';
import { BatchBuilder, type BatchHeader, batches, decodeRecords } from '../../../src/log/record/index.ts';
import { LogFixture } from '../log-fixture.ts';

export interface Put {
  readonly key: string;
  /** Absent: a tombstone. */
  readonly value?: string;
}

export interface Kept {
  readonly offset: number;
  readonly key: string;
  readonly value: string | undefined;
}

type PutOptions = Partial<ConstructorParameters<typeof BatchBuilder>[0]> & { epoch?: number };

type Options = ConstructorParameters<typeof LogFixture>[0];

/** A compacted log of small segments. */
export class CompactionFixture extends LogFixture {
  nowMs = 1_000_000;
  #cleanings = 0;

  constructor(options: Options = {}) {
    const config = {
      segmentBytes: 400,
      indexIntervalBytes: 100,
      compacts: true,
      deletes: false,
      minCleanableDirtyRatio: 0,
      deleteRetentionMs: 1000,
      ...options.config,
    };
    super({ tailCacheBytes: 0, ...options, config });
  }

  static override async open(options: Options = {}): Promise<CompactionFixture> {
    const fixture = new CompactionFixture(options);
    await fixture.reopen();
    return fixture;
  }

  /** One batch. */
  put(puts: readonly Put[], options: PutOptions = {}) {
    return this.putCopied(puts, options).appended;
  }

  /** One batch, and its bytes as they were sent. */
  putCopied(puts: readonly Put[], options: PutOptions = {}) {
    const builder = new BatchBuilder({ compression: 'none', ...options });
    for (const { key, value } of puts)
      builder.append({
        key: Buffer.from(key),
        value: value === undefined ? null : Buffer.from(value),
        timestampMs: this.nowMs,
      });
    const bytes = builder.build();
    const appended = this.log.appendAsLeader(Buffer.from(bytes), {
      leaderEpoch: options.epoch ?? 0,
      nowMs: this.nowMs,
    });
    return { bytes, appended };
  }

  /** Stops, loses the files of the log with this ending, and starts. */
  async restartWithout(ending: string): Promise<void> {
    await this.manager.close({ brokerEpoch: 7 });
    const { directory } = this.log;
    for (const name of await this.files.list(directory))
      if (name.endsWith(ending)) await this.files.remove(`${directory}/${name}`);
    await this.reopen();
  }

  /** Everything is flushed and committed, and the active segment is not the one with what was put so far. */
  async settle(): Promise<void> {
    await this.flushed();
    this.log.setHighWatermark(this.log.logEndOffset);
  }

  async clean(keyMapBytes = 1_000_000): Promise<CleaningOutcome> {
    await this.settle();
    return this.cleanAsItIs(keyMapBytes);
  }

  /** Without waiting for anything before. */
  cleanAsItIs(keyMapBytes = 1_000_000): Promise<CleaningOutcome> {
    return this.log.compactor.clean({
      nowMs: this.nowMs,
      keyMapBytes,
      secret: new SeededRandom(7, `cleaning ${this.#cleanings++}`).bytes(16),
      pace: async () => {},
    });
  }

  /** Headers of all batches, read one after another. */
  async headers() {
    const { logStartOffset, logEndOffset } = this.log;
    const options = { maxBytes: 1e6, upperBound: logEndOffset, atLeastOne: true };
    const found: BatchHeader[] = [];
    for (let next = logStartOffset; next < logEndOffset; ) {
      const read = await this.log.read(next, options);
      const some = read.batches.flatMap((one) => [...batches(one)]).map(({ header }) => header);
      if (some.length === 0) throw new Error(`nothing at ${next}`);
      found.push(...some);
      next = (some.at(-1)?.lastOffset ?? 0) + 1;
    }
    return found;
  }

  /** All records from `from` on, as a reader gets them. */
  async records(from = this.log.logStartOffset, maxBytes = 1_000_000): Promise<Kept[]> {
    const kept: Kept[] = [];
    for (let next = from; next < this.log.logEndOffset; ) {
      const upperBound = this.log.logEndOffset;
      const read = await this.log.read(next, { maxBytes, upperBound, atLeastOne: true });
      if (read.batches.length === 0) throw new Error(`nothing at ${next} below ${upperBound}`);
      for (const some of read.batches)
        for (const { header, bytes } of batches(some)) {
          next = header.lastOffset + 1;
          for (const { offset, key, value } of decodeRecords(bytes))
            if (offset >= from) kept.push({ offset, key: text(key) ?? '', value: text(value) });
        }
    }
    return kept;
  }

  /** Key to last value, as a table would show it. */
  async table(): Promise<Map<string, string>> {
    return tableOf(await this.records());
  }
}

export function tableOf(records: readonly Kept[]): Map<string, string> {
  const table = new Map<string, string>();
  for (const { key, value } of records) {
    if (value === undefined) table.delete(key);
    else table.set(key, value);
  }
  return table;
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}
