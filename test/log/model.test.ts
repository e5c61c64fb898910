import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { LogFixture } from './log-fixture.ts';

type Step =
  | { readonly kind: 'append'; readonly count: number; readonly size: number }
  | { readonly kind: 'epoch' }
  | { readonly kind: 'settle' }
  | { readonly kind: 'read'; readonly at: number; readonly maxBytes: number }
  | { readonly kind: 'truncate'; readonly at: number }
  | { readonly kind: 'empty'; readonly at: number }
  | { readonly kind: 'advance'; readonly at: number }
  | { readonly kind: 'retain'; readonly at: number; readonly nowMs: number; readonly bytes: number }
  | {
      readonly kind: 'interrupted';
      readonly at: number;
      readonly turns: number;
      readonly full: boolean;
      readonly seed: number;
    }
  | { readonly kind: 'restart' }
  | { readonly kind: 'kill' }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'crash'; readonly seed: number };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 4 }),
      size: fc.integer({ min: 0, max: 60 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'epoch' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'settle' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      at: share,
      maxBytes: fc.integer({ min: 1, max: 600 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at: share }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('empty' as const), at: share }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      { kind: 'restart' as const },
      { kind: 'kill' as const },
      { kind: 'checkpoint' as const },
    ),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), seed: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance' as const), at: share }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('retain' as const),
      at: share,
      nowMs: fc.integer({ min: 900, max: 1200 }),
      bytes: fc.constantFrom(-1, 0, 300, 900),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('interrupted' as const),
      at: share,
      turns: fc.integer({ min: 0, max: 120 }),
      full: fc.boolean(),
      seed: fc.nat(),
    }),
  },
);

interface ModelBatch {
  readonly base: number;
  readonly epoch: number;
  readonly values: readonly string[];
  readonly newestMs: number;
}

/** A log as an array of batches. */
class Model {
  start = 0;
  end = 0;
  epoch = 0;
  counter = 0;
  batches: ModelBatch[] = [];
  /** Below it nothing may be missing after a crash. */
  flushed = 0;
  checkpoint = 0;

  get values(): string[] {
    return this.batches.flatMap(({ base, values }) => values.slice(Math.max(0, this.start - base)));
  }

  /** Values from the start, which may lie within the first batch. */
  advance(offset: number): void {
    this.start = Math.max(this.start, offset);
    this.batches = this.batches.filter((batch) => batch.base + batch.values.length > this.start);
  }

  cut(offset: number): void {
    this.batches = this.batches.filter((batch) => batch.base + batch.values.length <= offset);
    const last = this.batches.at(-1);
    this.end = last === undefined ? this.start : last.base + last.values.length;
    this.flushed = Math.min(this.flushed, this.end);
  }
}

async function play(steps: readonly Step[], tailCacheBytes: number): Promise<void> {
  const fixture = await LogFixture.open({
    tailCacheBytes,
    config: { segmentBytes: 400, indexIntervalBytes: 100, segmentIndexBytes: 1000 },
  });
  const model = new Model();
  for (const one of steps) await playStep(fixture, model, one);
  operations += steps.length;
  await compare(fixture, model);
}

async function playStep(fixture: LogFixture, model: Model, one: Step): Promise<void> {
  const { log } = fixture;
  switch (one.kind) {
    case 'append': {
      const values = Array.from({ length: one.count }, () => `${model.counter++}${'.'.repeat(one.size)}`);
      const appended = fixture.append(values, { epoch: model.epoch, timeMs: 1000 + model.end });
      expect(appended.firstOffset).toBe(model.end);
      const newestMs = 1000 + model.end + values.length - 1;
      model.batches.push({ base: model.end, epoch: model.epoch, values, newestMs });
      model.end += values.length;
      return;
    }
    case 'epoch':
      model.epoch++;
      return;
    case 'settle':
      return fixture.flushed();
    case 'read': {
      const from = model.start + Math.floor(one.at * (model.end - model.start));
      expect(await fixture.values(from, one.maxBytes)).toEqual(model.values.slice(from - model.start));
      return;
    }
    case 'truncate': {
      const offset = model.start + Math.floor(one.at * (model.end - model.start + 1));
      model.cut(offset);
      await log.truncateTo(offset);
      return compare(fixture, model);
    }
    case 'empty': {
      const offset = Math.floor(one.at * (model.end + 20));
      model.batches = [];
      Object.assign(model, { start: offset, end: offset, flushed: offset });
      await log.truncateFullyAndStartAt(offset);
      return compare(fixture, model);
    }
    case 'advance': {
      await fixture.flushed();
      const offset = model.start + Math.floor(one.at * (model.end - model.start));
      log.setHighWatermark(offset);
      await log.advanceLogStart(offset);
      model.advance(offset);
      return compare(fixture, model);
    }
    case 'retain':
      return retain(fixture, model, one);
    case 'interrupted':
      return interruptCut(fixture, model, one);
    case 'checkpoint':
      return fixture.manager.checkpointHighWatermarks();
    case 'restart':
      await fixture.restart();
      return compare(fixture, model);
    case 'kill':
    case 'crash':
      model.flushed = log.flushedOffset;
      if (one.kind === 'kill') await fixture.kill(model.end);
      else await fixture.crash(one.seed);
      expect(fixture.log.failure).toBeUndefined();
      expect(fixture.log.logEndOffset).toBeGreaterThanOrEqual(model.flushed);
      model.cut(fixture.log.logEndOffset);
      expect(fixture.log.logEndOffset).toBe(model.end);
      return compare(fixture, model);
  }
}

/** Whatever retention takes, it takes old records from the front, none above the high watermark. */
async function retain(
  fixture: LogFixture,
  model: Model,
  one: Extract<Step, { kind: 'retain' }>,
): Promise<void> {
  const { log } = fixture;
  await fixture.flushed();
  log.config = { ...log.config, retentionMs: 20, retentionBytes: one.bytes };
  log.setHighWatermark(model.start + Math.floor(one.at * (model.end - model.start + 1)));
  const sizeBytes = log.sizeBytes;
  await log.applyRetention(one.nowMs);
  expect(log.logStartOffset).toBeGreaterThanOrEqual(model.start);
  expect(log.logStartOffset).toBeLessThanOrEqual(log.highWatermark);
  const gone = model.batches.filter(({ base }) => base < log.logStartOffset && base >= model.start);
  const tooOld = gone.every(({ newestMs }) => one.nowMs - newestMs > 20);
  const tooMuch = one.bytes >= 0 && sizeBytes >= one.bytes;
  expect(tooOld || tooMuch, `${gone.length} batches are gone`).toBe(true);
  model.advance(log.logStartOffset);
  return compare(fixture, model);
}

/** The power fails within a cut: the log is a beginning of what it was, or empty; never a mixture. */
async function interruptCut(
  fixture: LogFixture,
  model: Model,
  one: Extract<Step, { kind: 'interrupted' }>,
): Promise<void> {
  const offset = model.start + Math.floor(one.at * (model.end - model.start + 1));
  const { log } = fixture;
  model.flushed = Math.min(log.flushedOffset, offset);
  const cut = one.full ? log.truncateFullyAndStartAt(model.end + 5) : log.truncateTo(offset);
  cut.catch(() => {});
  for (let turn = 0; turn < one.turns; turn++) await undefined;
  await fixture.crash(one.seed);
  const { logStartOffset, logEndOffset } = fixture.log;
  expect(fixture.log.failure).toBeUndefined();
  if (one.full && logStartOffset === logEndOffset) {
    Object.assign(model, { batches: [], start: logStartOffset, end: logEndOffset, flushed: logEndOffset });
  } else {
    if (!one.full) {
      const boundary = model.batches.findLast(({ base, values }) => base + values.length <= model.flushed);
      const kept = boundary === undefined ? model.start : boundary.base + boundary.values.length;
      expect(logEndOffset).toBeGreaterThanOrEqual(kept);
    }
    model.cut(logEndOffset);
  }
  return compare(fixture, model);
}

async function compare(fixture: LogFixture, model: Model): Promise<void> {
  const { log } = fixture;
  expect(log.failure).toBeUndefined();
  expect([log.logStartOffset, log.logEndOffset]).toEqual([model.start, model.end]);
  expect(log.flushedOffset).toBeLessThanOrEqual(log.writtenOffset);
  expect(log.writtenOffset).toBeLessThanOrEqual(log.logEndOffset);
  expect(log.logStartOffset).toBeLessThanOrEqual(log.highWatermark);
  expect(log.highWatermark).toBeLessThanOrEqual(log.logEndOffset);
  expect(log.durableLogStartOffset).toBeLessThanOrEqual(log.logStartOffset);
  expect(await fixture.values()).toEqual(model.values);
  expect(log.lastBatchEpoch).toBe(model.batches.at(-1)?.epoch ?? -1);
  for (const { base, epoch } of model.batches) {
    const end = model.batches.find((later) => later.epoch > epoch)?.base ?? model.end;
    expect(log.endOffsetForEpoch(epoch), `epoch ${epoch} of offset ${base}`).toEqual({
      epoch,
      endOffset: end,
    });
  }
}

let operations = 0;
afterAll(() => console.log(`${operations} operations, no difference`));

describe('a log', () => {
  for (const tailCacheBytes of [0, 500, 1_000_000]) {
    it(`is an array of batches that forgets at most what was never flushed, tail of ${tailCacheBytes} bytes`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), (steps) =>
          play(steps, tailCacheBytes),
        ),
        { numRuns: Number(process.env.LOG_RUNS ?? 1200) },
      );
    }, 120_000);
  }
});
