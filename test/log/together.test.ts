/**
 * Many things at once in two logs that share two open files: appends, reads, cuts, retention, checkpoints, with an end of
 * the process or of the power anywhere between. Operations of the disk take as many turns as chance says, so that what
 * never happens in a quiet order does.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { ApiError, EnvironmentError, SeededRandom } from '../../src/base/index.ts';
import type { LogConfig, PartitionLog } from '../../src/log/index.ts';
import { batches, decodeRecords } from '../../src/log/record/index.ts';
import type { FileOperation } from '../../src/testing/twins/index.ts';
import { batchOf, LogFixture, TOPIC_ID } from './log-fixture.ts';

type Kind =
  | 'append'
  | 'epoch'
  | 'read'
  | 'read-stored'
  | 'search'
  | 'truncate'
  | 'empty'
  | 'advance'
  | 'retain'
  | 'checkpoint'
  | 'caching'
  | 'fail'
  | 'settle'
  | 'restart'
  | 'kill'
  | 'crash';

interface Step {
  readonly kind: Kind;
  readonly log: number;
  readonly at: number;
  readonly count: number;
  /** Turns until the next step. */
  readonly turns: number;
}

const WEIGHTS: Record<Kind, number> = {
  append: 14,
  epoch: 1,
  read: 4,
  'read-stored': 2,
  search: 2,
  truncate: 3,
  empty: 1,
  advance: 2,
  retain: 2,
  checkpoint: 2,
  caching: 1,
  fail: 1,
  settle: 2,
  restart: 1,
  kill: 1,
  crash: 1,
};

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    ...Object.entries(WEIGHTS).map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind as Kind) })),
  ),
  log: fc.integer({ min: 0, max: 1 }),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  count: fc.integer({ min: 1, max: 4 }),
  turns: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 200 })),
});

const FAULTS: readonly FileOperation[] = [
  'write',
  'sync',
  'sync',
  'rename',
  'sync-directory',
  'truncate',
  'open',
];

interface Stored {
  readonly base: number;
  readonly end: number;
  readonly epoch: number;
  readonly values: readonly string[];
  diedAt: number;
  readonly bornAt: number;
}

/** What one log may hold: what was given to it, and what it held before cuts that are under way. */
class Expected {
  readonly partition: number;
  start = 0;
  epoch = 0;
  current: Stored[] = [];
  ghosts: { readonly batches: Stored[]; readonly end: number }[] = [];
  end = 0;
  /** Every batch ever. */
  all: Stored[] = [];
  cuts = 0;
  /** It is emptied, and may go on at a lower offset. */
  goesBack = false;

  constructor(partition: number) {
    this.partition = partition;
  }

  cut(offset: number, now: number): void {
    this.ghosts.push({ batches: this.current, end: this.end });
    const kept = this.current.filter(({ end }) => end <= offset);
    for (const batch of this.current) if (batch.end > offset) batch.diedAt = now;
    this.current = kept;
    this.end = kept.at(-1)?.end ?? Math.min(offset, this.end);
  }
}

class World {
  readonly fixture: LogFixture;
  readonly expected = [new Expected(0), new Expected(1)];
  readonly #random: SeededRandom;
  readonly #problems: unknown[] = [];
  #now = 0;
  #life = 0;
  #caching = false;
  /** What the disk refuses next; and whether it was asked to since the process began. */
  #fault: FileOperation | undefined;
  #faulty = false;
  /** Since the process began something may have counted as flushed without a sync. */
  #cached = false;
  #under: Promise<unknown>[] = [];

  constructor(seed: number, tailCacheBytes: number) {
    this.#random = new SeededRandom(seed, 'turns');
    this.fixture = new LogFixture({
      tailCacheBytes,
      config: { segmentBytes: 400, indexIntervalBytes: 100, segmentIndexBytes: 1000 },
    });
    const { files } = this.fixture;
    const perform = files.perform.bind(files);
    files.perform = async (operation, path, effect) => {
      const { processNumber } = files;
      const turns = this.#random.integer(0, 12);
      for (let i = 0; i < turns; i++) await undefined;
      if (files.processNumber !== processNumber) return new Promise(() => {});
      if (operation === this.#fault && path.includes('/data/')) {
        this.#fault = undefined;
        throw new EnvironmentError('io-error', path, `cannot ${operation} ${path} (asked for by the test)`);
      }
      return perform(operation, path, effect);
    };
  }

  log(one: number): PartitionLog {
    const log = this.fixture.manager.find('t', one);
    if (log === undefined) throw new Error('a log is missing');
    return log;
  }

  async open(): Promise<void> {
    await this.fixture.reopen();
    if (this.fixture.manager.find('t', 1) === undefined)
      await this.fixture.manager.create('t', 1, TOPIC_ID, this.#config);
    for (const one of [0, 1]) this.log(one).config = this.#config;
  }

  get #config(): LogConfig {
    return { ...this.fixture.config, writeCaching: this.#caching };
  }

  async play(steps: readonly Step[]): Promise<void> {
    await this.open();
    for (const one of steps) {
      this.#now++;
      await this.#playOne(one);
      for (let turn = 0; turn < one.turns; turn++) await undefined;
      this.#check();
    }
    await this.#settle();
    if (this.#faulty) await this.#die('kill', 1);
    for (const one of [0, 1]) await this.#compare(one);
  }

  #check(): void {
    if (this.#problems.length > 0) throw this.#problems[0];
    for (const one of [0, 1]) {
      const log = this.log(one);
      if (!this.#faulty) expect(log.failure).toBeUndefined();
      expect(log.recoveryPoint).toBeLessThanOrEqual(log.logEndOffset);
      expect(log.flushedOffset).toBeLessThanOrEqual(log.writtenOffset);
      expect(log.writtenOffset).toBeLessThanOrEqual(log.logEndOffset);
      expect(log.durableLogStartOffset).toBeLessThanOrEqual(log.logStartOffset);
      expect(log.logStartOffset).toBeLessThanOrEqual(log.highWatermark);
      expect(log.highWatermark).toBeLessThanOrEqual(log.logEndOffset);
    }
  }

  /** Not waited for; refusals of a log that is cut, closed or moved on are no problem. */
  #begin(task: () => Promise<unknown>, allowed: readonly string[]): void {
    const life = this.#life;
    const done = task().catch((error: unknown) => {
      if (life !== this.#life) return;
      if (error instanceof ApiError && allowed.includes(error.code)) return;
      if (this.#faulty && (error instanceof EnvironmentError || isRefusal(error))) return;
      this.#problems.push(error);
    });
    this.#under.push(done);
  }

  async #playOne(one: Step): Promise<void> {
    const log = this.log(one.log);
    const expected = this.expected[one.log] as Expected;
    const span = log.logEndOffset - log.logStartOffset;
    const offset = log.logStartOffset + Math.floor(one.at * (span + 1));
    const shut = ['NOT_LEADER_OR_FOLLOWER'];
    switch (one.kind) {
      case 'append':
        return this.#append(log, expected, one);
      case 'epoch':
        expected.epoch++;
        if (one.count % 2 === 0) log.assignEpoch(expected.epoch, log.logEndOffset);
        return;
      case 'read':
        return this.#begin(() => this.#read(log, expected, offset, one, false), ['OFFSET_OUT_OF_RANGE']);
      case 'read-stored':
        return this.#begin(() => this.#read(log, expected, offset, one, true), ['OFFSET_OUT_OF_RANGE']);
      case 'search':
        return this.#begin(
          () => (one.count === 4 ? log.maxTimestamp() : log.offsetForTimestamp(1000 + offset)),
          ['OFFSET_OUT_OF_RANGE'],
        );
      case 'truncate': {
        if (expected.cuts > 0 && one.count > 1) return;
        expected.cuts++;
        if (offset < log.logEndOffset) expected.cut(offset, this.#now);
        return this.#begin(() => log.truncateTo(offset).then(() => this.#isCut(log, expected)), shut);
      }
      case 'empty': {
        if (expected.cuts > 0) return;
        expected.cuts++;
        expected.cut(0, this.#now);
        expected.goesBack = true;
        const to = Math.floor(one.at * (log.logEndOffset + 20));
        return this.#begin(
          () => log.truncateFullyAndStartAt(to).then(() => this.#isCut(log, expected)),
          shut,
        );
      }
      case 'advance':
        log.setHighWatermark(Math.min(offset, log.flushedOffset));
        return this.#begin(() => log.advanceLogStart(log.highWatermark), ['OFFSET_OUT_OF_RANGE']);
      case 'retain':
        log.config = { ...this.#config, retentionMs: 20, retentionBytes: one.count < 3 ? 300 : -1 };
        log.setHighWatermark(Math.min(offset, log.flushedOffset));
        return this.#begin(() => log.applyRetention(1000 + log.logEndOffset), ['OFFSET_OUT_OF_RANGE']);
      case 'checkpoint':
        return this.#begin(() => this.fixture.manager.checkpointHighWatermarks(), []);
      case 'caching':
        this.#caching = one.count === 4;
        this.#cached ||= this.#caching;
        log.config = { ...log.config, writeCaching: this.#caching };
        return;
      case 'fail':
        this.#fault = FAULTS[Math.floor(one.at * FAULTS.length)];
        this.#faulty = true;
        return;
      case 'settle':
        return this.#settle();
      case 'restart':
        return this.#restart();
      case 'kill':
      case 'crash':
        return this.#die(one.kind, Math.floor(one.at * 2 ** 31));
    }
  }

  #append(log: PartitionLog, expected: Expected, one: Step): void {
    const base = log.logEndOffset;
    const values = Array.from({ length: one.count }, (_, i) => `${this.#now}/${i}${'.'.repeat(one.at * 60)}`);
    try {
      log.appendAsLeader(batchOf(values, { timeMs: 1000 + base }), {
        leaderEpoch: Math.max(expected.epoch, log.latestEpoch),
        nowMs: 5000,
      });
    } catch (error) {
      if (error instanceof ApiError && error.code === 'NOT_LEADER_OR_FOLLOWER') return;
      if (this.#faulty && isRefusal(error)) return;
      throw error;
    }
    const epoch = log.latestEpoch;
    const end = base + values.length;
    const stored = { base, end, epoch, values, diedAt: Number.MAX_SAFE_INTEGER, bornAt: this.#now };
    expected.current = [...expected.current, stored];
    expected.all.push(stored);
    expected.end = end;
  }

  async #read(
    log: PartitionLog,
    expected: Expected,
    from: number,
    one: Step,
    stored: boolean,
  ): Promise<void> {
    const begun = this.#now;
    const upperBound = log.logEndOffset;
    const options = { maxBytes: 50 + Math.floor(one.at * 900), upperBound, atLeastOne: true };
    const read = await (stored ? log.readStored(from, options) : log.read(from, options));
    let next = -1;
    for (const { header, bytes } of read.batches.flatMap((some) => [...batches(some)])) {
      const values = [...decodeRecords(bytes)].map(({ value }) => Buffer.from(value ?? []).toString());
      const { baseOffset, lastOffset, leaderEpoch } = header;
      if (next >= 0) expect(baseOffset).toBe(next);
      else expect(lastOffset).toBeGreaterThanOrEqual(from);
      next = lastOffset + 1;
      const found = expected.all.find(
        ({ base, epoch, values: [first] }) =>
          base === baseOffset && epoch === leaderEpoch && first === values[0],
      );
      expect(found?.values, `batch ${baseOffset}..${lastOffset} was appended`).toEqual(values);
      expect(found?.diedAt, `batch ${baseOffset}..${lastOffset} was there`).toBeGreaterThanOrEqual(begun);
    }
  }

  /** A cut has ended; when it is the last one, the log is what it says. */
  #isCut(log: PartitionLog, expected: Expected): void {
    expected.cuts--;
    if (expected.cuts > 0) return;
    expected.ghosts = [];
    expected.goesBack = false;
    if (expected.current.length === 0) expected.end = log.logEndOffset;
  }

  async #settle(): Promise<void> {
    await Promise.all(this.#under);
    this.#under = [];
    for (const one of [0, 1])
      await this.log(one)
        .whenFlushed(this.log(one).logEndOffset)
        .catch((error: unknown) => {
          if (!this.#faulty || !isRefusal(error)) throw error;
        });
    this.#check();
  }

  async #restart(): Promise<void> {
    if (this.#faulty) return this.#die('kill', 1);
    await Promise.all(this.#under);
    this.#check();
    await this.fixture.manager.close({ brokerEpoch: 1 });
    await this.open();
    expect(this.fixture.manager.cleanShutdownEpoch).toBe(1);
    for (const one of [0, 1]) await this.#compare(one);
  }

  async #die(kind: 'kill' | 'crash', seed: number): Promise<void> {
    this.#life++;
    this.#under = [];
    this.#fault = undefined;
    const promised = [0, 1].map((one) => {
      const { flushedOffset, recoveryPoint } = this.log(one);
      return this.#cached && kind === 'crash' ? recoveryPoint : flushedOffset;
    });
    // With write caching the records below it may be lost as well: the log begins at its end then.
    const unsynced = this.#cached && kind === 'crash';
    const durable = [0, 1].map((one) => (unsynced ? 0 : this.log(one).durableLogStartOffset));
    await this.fixture[kind](seed);
    if (this.fixture.manager.find('t', 1) === undefined)
      await this.fixture.manager.create('t', 1, TOPIC_ID, this.#config);
    this.#caching = false;
    this.#cached = false;
    this.#faulty = false;
    for (const one of [0, 1]) {
      const log = this.log(one);
      const expected = this.expected[one] as Expected;
      log.config = this.#config;
      expect(log.failure).toBeUndefined();
      if (!expected.goesBack) expect(log.logEndOffset).toBeGreaterThanOrEqual(promised[one] ?? 0);
      if (expected.cuts === 0) expect(log.logStartOffset).toBeGreaterThanOrEqual(durable[one] ?? 0);
      await this.#adopt(log, expected);
    }
  }

  /** The log is a beginning of what it was before or after the cuts that were under way. */
  async #adopt(log: PartitionLog, expected: Expected): Promise<void> {
    const from = log.logStartOffset;
    const end = log.logEndOffset;
    const could = [{ batches: expected.current, end: expected.end }, ...expected.ghosts].map((one) =>
      one.batches.filter((batch) => batch.end <= end && batch.end > from),
    );
    const stored = from === end ? [] : await this.#batchesOf(log);
    const match = could.find((some) => JSON.stringify(some.map(brief)) === JSON.stringify(stored));
    if (match === undefined && stored.length > 0)
      expect(stored, `one of ${could.length}`).toEqual(could[0]?.map(brief));
    for (const batch of expected.all)
      if (match?.includes(batch) !== true) batch.diedAt = Math.min(batch.diedAt, this.#now);
      else batch.diedAt = Number.MAX_SAFE_INTEGER;
    expected.current = match ?? [];
    expected.ghosts = [];
    expected.cuts = 0;
    expected.goesBack = false;
    expected.end = end;
    expected.epoch = Math.max(expected.epoch, log.latestEpoch) + 1;
    await this.#compare(expected.partition);
  }

  async #batchesOf(log: PartitionLog): Promise<unknown[]> {
    const found: unknown[] = [];
    let next = log.logStartOffset;
    while (next < log.logEndOffset) {
      const read = await log.readStored(next, {
        maxBytes: 1000,
        upperBound: log.logEndOffset,
        atLeastOne: true,
      });
      const some = read.batches.flatMap((one) => [...batches(one)]);
      if (some.length === 0) throw new Error(`nothing at ${next} below ${log.logEndOffset}`);
      for (const { header, bytes } of some) {
        const [first] = [...decodeRecords(bytes)];
        found.push([header.baseOffset, header.leaderEpoch, Buffer.from(first?.value ?? []).toString()]);
        next = header.lastOffset + 1;
      }
    }
    return found;
  }

  async #compare(one: number): Promise<void> {
    const log = this.log(one);
    const expected = this.expected[one] as Expected;
    expect(log.failure).toBeUndefined();
    const current = expected.current.filter(({ end }) => end > log.logStartOffset);
    expect(log.logEndOffset).toBe(Math.max(log.logStartOffset, current.at(-1)?.end ?? 0));
    if (log.writtenOffset < log.logEndOffset) await log.whenWritten(log.logEndOffset);
    expect(await this.#batchesOf(log)).toEqual(current.map(brief));
    expect(log.lastBatchEpoch).toBe(current.at(-1)?.epoch ?? -1);
    for (const { epoch } of current) {
      const end = current.find((later) => later.epoch > epoch)?.base ?? log.logEndOffset;
      expect(log.endOffsetForEpoch(epoch)).toEqual({ epoch, endOffset: end });
    }
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'KAFKA_STORAGE_ERROR';
}

function brief({ base, epoch, values }: Stored): unknown {
  return [base, epoch, values[0]];
}

let operations = 0;
afterAll(() => console.log(`${operations} operations at once, no difference`));

/** Failed once: retention went on in a log that failed while it looked. */
const KEPT: [number, Step[]][] = [
  [
    0,
    [
      { kind: 'fail', log: 0, at: 4 / 7, count: 1, turns: 0 },
      { kind: 'empty', log: 0, at: 0, count: 1, turns: 0 },
      { kind: 'read-stored', log: 0, at: 0, count: 1, turns: 120 },
      { kind: 'retain', log: 0, at: 0, count: 1, turns: 6 },
      { kind: 'append', log: 0, at: 0, count: 1, turns: 140 },
      { kind: 'read-stored', log: 0, at: 0, count: 1, turns: 18 },
      { kind: 'read-stored', log: 0, at: 0, count: 1, turns: 0 },
      { kind: 'fail', log: 0, at: 0, count: 1, turns: 10 },
      { kind: 'retain', log: 0, at: 0, count: 1, turns: 0 },
    ],
  ],
  // The directory fails between the two steps of a new log start.
  [
    0,
    [
      { kind: 'append', log: 1, at: 0, count: 1, turns: 0 },
      { kind: 'checkpoint', log: 0, at: 0, count: 1, turns: 134 },
      { kind: 'advance', log: 1, at: 0.5, count: 1, turns: 1 },
      { kind: 'checkpoint', log: 0, at: 0, count: 1, turns: 0 },
      { kind: 'append', log: 0, at: 0, count: 1, turns: 6 },
      { kind: 'checkpoint', log: 0, at: 0, count: 1, turns: 5 },
      { kind: 'search', log: 0, at: 0, count: 1, turns: 0 },
      { kind: 'fail', log: 0, at: 0, count: 1, turns: 0 },
    ],
  ],
];

describe('two logs in which everything happens at once', () => {
  for (const tailCacheBytes of [0, 600]) {
    it(`never fail, and hold what they promised, tail of ${tailCacheBytes} bytes`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), fc.array(step, { maxLength: 80, size: 'max' }), async (seed, steps) => {
          await new World(seed, tailCacheBytes).play(steps);
          operations += steps.length;
        }),
        { numRuns: Number(process.env.LOG_RUNS ?? 400), examples: KEPT },
      );
    }, 120_000);
  }
});
