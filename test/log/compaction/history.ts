import { expect } from 'vitest';
import type { CompressionType } from '../../../src/log/record/index.ts';
import { CompactionFixture, type Kept, type Put, tableOf } from './compaction-fixture.ts';
import type { Step } from './history-steps.ts';

interface ModelBatch {
  readonly base: number;
  readonly epoch: number;
  readonly puts: readonly Put[];
  readonly producer: number;
  readonly sequence: number;
  readonly codec: CompressionType;
}

const DELETE_RETENTION_MS = 1000;
/** What one key takes in the map. */
const KEY_BYTES = 32;
/** Repetitions are known of so many batches. */
const KNOWN_BATCHES = 5;

/** A log that is written, cleaned, cut and crashed, beside all batches it ever took. */
export class History {
  readonly #fixture: CompactionFixture;
  #batches: ModelBatch[] = [];
  #start = 0;
  #end = 0;
  #epoch = 0;
  #counter = 0;
  /** Nothing below it is ever truncated. */
  #committed = 0;
  /** When a cleaning first reached that offset: a tombstone there goes at the earliest a while later. */
  readonly #reached = new Map<number, number>();

  private constructor(fixture: CompactionFixture) {
    this.#fixture = fixture;
  }

  static async open(tailCacheBytes: number): Promise<History> {
    const config = { deleteRetentionMs: DELETE_RETENTION_MS };
    return new History(await CompactionFixture.open({ tailCacheBytes, config }));
  }

  async play(step: Step): Promise<void> {
    const fixture = this.#fixture;
    switch (step.kind) {
      case 'put':
        for (let i = 0; i < step.times; i++) this.#put(step);
        return;
      case 'epoch':
        this.#epoch++;
        return;
      case 'settle':
        return this.#settle();
      case 'wait':
        fixture.nowMs += step.ms;
        return;
      case 'clean':
        await this.#clean(step.keys);
        return this.compare();
      case 'read while cleaning':
        return this.#readWhileCleaning(step);
      case 'cut while cleaning':
        return this.#cutWhileCleaning(step);
      case 'crash while cleaning':
        return this.#crashWhileCleaning(step);
      case 'truncate':
        await this.#truncate(step.at);
        return this.compare();
      case 'advance':
        await this.#settle();
        await this.#advance(step.at);
        return this.compare();
      case 'restart':
        await fixture.restart();
        return this.compare();
      case 'crash': {
        const flushed = fixture.log.flushedOffset;
        await fixture.crash(step.seed);
        return this.#recovered(flushed);
      }
    }
  }

  /** Cleans until nothing is dirty, starts again, cleans again. */
  async end(): Promise<void> {
    await this.#clean(1000);
    await this.compare();
    await this.#fixture.restart();
    await this.compare();
    await this.#clean(1000);
    await this.compare();
  }

  #put(step: Extract<Step, { kind: 'put' }>): void {
    const puts = step.puts.map(({ key, isTombstone, size }): Put => {
      const value = `${this.#counter++}${'.'.repeat(size)}`;
      return isTombstone ? { key: `k${key}` } : { key: `k${key}`, value };
    });
    const { producer, codec } = step;
    const last = this.#batches.findLast((batch) => batch.producer === producer);
    const sequence = last === undefined ? 0 : last.sequence + last.puts.length;
    const batch = { base: this.#end, epoch: this.#epoch, puts, producer, sequence, codec };
    expect(this.#append(batch)).toMatchObject({ firstOffset: this.#end, duplicate: false });
    this.#batches.push(batch);
    this.#end += puts.length;
  }

  #append({ puts, producer, sequence, codec }: ModelBatch) {
    const identity = producer < 0 ? {} : { producerId: producer, producerEpoch: 0, baseSequence: sequence };
    return this.#fixture.put(puts, { compression: codec, epoch: this.#epoch, ...identity });
  }

  async #settle(): Promise<void> {
    await this.#fixture.settle();
    this.#committed = this.#end;
  }

  async #clean(keys: number): Promise<void> {
    await this.#settle();
    await this.#begin(keys);
    expect(this.#fixture.log.failure).toBeUndefined();
  }

  /** Begins to clean; what is settled by now may be reached. */
  #begin(keys: number): Promise<unknown> {
    const { nowMs } = this.#fixture;
    for (const { offset } of this.#records())
      if (offset < this.#committed && !this.#reached.has(offset)) this.#reached.set(offset, nowMs);
    return this.#fixture.clean(keys * KEY_BYTES);
  }

  async #readWhileCleaning(step: Extract<Step, { kind: 'read while cleaning' }>): Promise<void> {
    await this.#settle();
    const cleaning = this.#begin(step.keys);
    for (let turn = 0; turn < step.turns; turn++) await undefined;
    const read = await this.#fixture.records(this.#start, step.maxBytes);
    this.#check(read);
    await cleaning;
    return this.compare();
  }

  async #cutWhileCleaning(step: Extract<Step, { kind: 'cut while cleaning' }>): Promise<void> {
    await this.#settle();
    const cleaning = this.#begin(step.keys);
    for (let turn = 0; turn < step.turns; turn++) await undefined;
    this.#put({
      kind: 'put',
      puts: [{ key: 1, isTombstone: false, size: 3 }],
      producer: -1,
      codec: 'none',
      times: 1,
    });
    await (step.head ? this.#advance(step.at) : this.#truncate(step.at));
    await cleaning;
    return this.compare();
  }

  async #crashWhileCleaning(step: Extract<Step, { kind: 'crash while cleaning' }>): Promise<void> {
    await this.#settle();
    this.#begin(step.keys).catch(() => {});
    for (let turn = 0; turn < step.turns; turn++) await undefined;
    const flushed = this.#fixture.log.flushedOffset;
    if (step.power) await this.#fixture.crash(step.seed);
    else await this.#fixture.kill(step.seed);
    return this.#recovered(flushed);
  }

  async #recovered(flushed: number): Promise<void> {
    const { log } = this.#fixture;
    expect(log.failure).toBeUndefined();
    expect(log.logEndOffset).toBeGreaterThanOrEqual(flushed);
    this.#cut(log.logEndOffset);
    return this.compare();
  }

  async #truncate(at: number): Promise<void> {
    const floor = Math.max(this.#committed, this.#start);
    const offset = floor + Math.floor(at * (this.#end - floor + 1));
    this.#cut(offset);
    await this.#fixture.log.truncateTo(offset);
  }

  async #advance(at: number): Promise<void> {
    const { log } = this.#fixture;
    const offset = this.#start + Math.floor(at * (log.highWatermark - this.#start));
    this.#start = Math.max(this.#start, offset);
    await log.advanceLogStart(offset);
  }

  #cut(offset: number): void {
    this.#batches = this.#batches.filter((batch) => batch.base + batch.puts.length <= offset);
    const last = this.#batches.at(-1);
    this.#end = last === undefined ? Math.min(this.#end, offset) : last.base + last.puts.length;
    for (const reached of [...this.#reached.keys()]) if (reached >= this.#end) this.#reached.delete(reached);
  }

  /** Everything ever written from the start on. */
  #records(): Kept[] {
    return this.#batches
      .flatMap(({ base, puts }) => puts.map(({ key, value }, i) => ({ offset: base + i, key, value })))
      .filter(({ offset }) => offset >= this.#start);
  }

  async compare(): Promise<void> {
    const { log } = this.#fixture;
    expect(log.failure).toBeUndefined();
    expect([log.logStartOffset, log.logEndOffset]).toEqual([this.#start, this.#end]);
    this.#check(await this.#fixture.records());
    this.#checkEpochs();
    this.#checkRepetitions();
  }

  /** Nothing that was not written, in order; of each key what was written last. */
  #check(read: readonly Kept[]): void {
    const written = this.#records();
    const byOffset = new Map(written.map((record) => [record.offset, record]));
    for (const [i, record] of read.entries()) {
      expect(record).toEqual(byOffset.get(record.offset));
      if (i > 0) expect(record.offset).toBeGreaterThan(read[i - 1]?.offset ?? -1);
    }
    expect(tableOf(read)).toEqual(tableOf(written));
    const there = new Set(read.map(({ offset }) => offset));
    const last = new Map(written.map((record) => [record.key, record]));
    for (const { offset, value } of last.values()) {
      if (there.has(offset)) continue;
      expect(value, `the record at ${offset}`).toBeUndefined();
      const horizonMs = (this.#reached.get(offset) ?? Number.NaN) + DELETE_RETENTION_MS;
      expect(this.#fixture.nowMs, `the horizon of ${offset}`).toBeGreaterThanOrEqual(horizonMs);
    }
  }

  #checkEpochs(): void {
    const { log } = this.#fixture;
    const epochs = new Set(
      this.#batches.flatMap(({ epoch, base, puts }) => (base + puts.length > this.#start ? [epoch] : [])),
    );
    for (const epoch of epochs) {
      const endOffset = this.#batches.find((batch) => batch.epoch > epoch)?.base ?? this.#end;
      expect(log.endOffsetForEpoch(epoch)).toEqual({ epoch, endOffset });
    }
  }

  #checkRepetitions(): void {
    for (const producer of [0, 1, 2]) {
      const sent = this.#batches.filter((batch) => batch.producer === producer);
      for (const batch of sent.slice(-KNOWN_BATCHES))
        expect(this.#append(batch), `producer ${producer}`).toMatchObject({
          firstOffset: batch.base,
          duplicate: true,
        });
    }
  }
}
