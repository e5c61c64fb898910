/**
 * One bit turns in what was synced, somewhere in the files of a broker that is down. What may come of it: nothing, because the
 * bytes say nothing that matters or are made anew from others; or the log goes offline, for its replica to be fetched from
 * the leader. What may not: other records, offsets or epochs, a high watermark that is too high, a forgotten producer, a
 * segment that retention takes too early.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { CorruptionError, SeededRandom } from '../../src/base/index.ts';
import type { TimestampOffset } from '../../src/log/read/search-timestamp.ts';
import { batches } from '../../src/log/record/index.ts';
import { LogFixture } from './log-fixture.ts';

const FLIPS = Number(process.env.QUORATE_FLIPS ?? 1000);
const BATCHES = 60;
const PER_BATCH = 3;
const HIGH_WATERMARK = 150;
const RETENTION_MS = 1_000_000;
const CONFIG = { segmentBytes: 1200, indexIntervalBytes: 100, retentionMs: RETENTION_MS };
const TIMES = [0, 1000, 1505, 2000, 3333, 4000, 6000, 6900, 10_000];

type Outcome = 'no difference' | 'offline at the start' | 'offline when read' | 'start refused';

/** What a reader can learn of a log. */
interface Truth {
  readonly values: readonly string[];
  /** That the batches bear. */
  readonly batchEpochs: readonly number[];
  readonly epochs: readonly unknown[];
  readonly byTime: readonly (TimestampOffset | undefined)[];
  readonly newest: TimestampOffset | undefined;
}

const batchTime = (i: number): number => 1000 + 100 * (i % 7 === 3 ? i + 4 : i);

function appendBatch(fixture: LogFixture, i: number) {
  return fixture.append(
    Array.from({ length: PER_BATCH }, (_, k) => `${i} ${k}`),
    {
      epoch: Math.floor(Math.min(i, BATCHES - 1) / 13),
      timeMs: batchTime(i),
      producerId: i % 3,
      producerEpoch: 0,
      baseSequence: PER_BATCH * Math.floor(i / 3),
    },
  );
}

async function build(): Promise<LogFixture> {
  // Nothing is answered from memory: every read meets the files.
  const fixture = await LogFixture.open({ config: CONFIG, tailCacheBytes: 0 });
  for (let i = 0; i < BATCHES; i++) appendBatch(fixture, i);
  await fixture.flushed();
  fixture.log.setHighWatermark(HIGH_WATERMARK);
  await fixture.manager.checkpointHighWatermarks();
  return fixture;
}

async function learn(fixture: LogFixture, random: SeededRandom): Promise<Truth> {
  const { log } = fixture;
  // From anywhere first: what a scan from the start finds wrong must not be served to others before.
  const at = random.integer(0, log.logEndOffset);
  const some = await fixture.values(at, random.integer(1, 700));
  const values = await fixture.values();
  expect(some).toEqual(values.slice(at));
  const byTime = [];
  for (const time of TIMES) byTime.push(await log.offsetForTimestamp(time));
  const epochs = [0, 1, 2, 3, 4].map((epoch) => log.endOffsetForEpoch(epoch));
  const batchEpochs: number[] = [];
  for (let next = 0; next < log.logEndOffset; ) {
    const options = { maxBytes: 2 ** 20, upperBound: log.logEndOffset, atLeastOne: true };
    for (const bytes of (await log.read(next, options)).batches)
      for (const { header } of batches(bytes)) {
        batchEpochs.push(header.leaderEpoch);
        next = header.lastOffset + 1;
      }
  }
  return { values, batchEpochs, epochs, byTime, newest: await log.maxTimestamp() };
}

/** The log as it is after the flip: as it was, or offline because it noticed. */
async function judge(fixture: LogFixture, truth: Truth, random: SeededRandom): Promise<Outcome> {
  const { log } = fixture;
  if (log.failure !== undefined) {
    expect(log.failure).toBeInstanceOf(CorruptionError);
    return 'offline at the start';
  }
  try {
    expect(await learn(fixture, random)).toEqual(truth);
    expect(log.highWatermark).toBeLessThanOrEqual(HIGH_WATERMARK);
    // The last moment at which nothing is too old.
    await log.applyRetention(batchTime(0) + PER_BATCH + RETENTION_MS);
    expect(log.logStartOffset).toBe(0);
    // The last batch of each producer is known, and the one after it is welcome.
    for (let i = BATCHES - 3; i < BATCHES; i++)
      expect(appendBatch(fixture, i)).toMatchObject({ duplicate: true, firstOffset: i * PER_BATCH });
    expect(appendBatch(fixture, BATCHES)).toMatchObject({ duplicate: false });
    await fixture.flushed();
    expect(await fixture.values()).toHaveLength((BATCHES + 1) * PER_BATCH);
    expect(log.failure).toBeUndefined();
    return 'no difference';
  } catch (error) {
    if (!isDamage(log.failure)) throw error;
    expect(error).toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    return 'offline when read';
  }
}

const KINDS = [
  '.log',
  '.index',
  '.timeindex',
  '.snapshot',
  'leader-epoch-checkpoint',
  'partition.metadata',
  'offset-checkpoint',
] as const;
const outcomes = new Map<string, Map<Outcome, number>>();

afterAll(() => {
  for (const [what, counts] of [...outcomes].toSorted())
    console.log(`${what}: ${[...counts].map(([outcome, count]) => `${outcome} ${count}`).join(', ')}`);
});

describe.each(['clean stop', 'kill'] as const)('a bit that turns after a %s', (end) => {
  it.each(KINDS)(
    'in %s is harmless, mended or noticed, and never served',
    async (kind) => {
      const random = new SeededRandom(1, `${end} ${kind}`);
      const untouched = await build();
      await untouched.restart();
      const truth = await learn(untouched, random);
      expect(truth.values).toHaveLength(BATCHES * PER_BATCH);
      const counts = new Map<Outcome, number>();
      outcomes.set(`${kind} after a ${end}`, counts);
      for (let flip = 0; flip < Math.ceil(FLIPS / KINDS.length / 2); flip++) {
        const fixture = await build();
        if (end === 'clean stop') await fixture.manager.close({ brokerEpoch: 7 });
        const files = fixture.files.paths().filter((path) => path.endsWith(kind));
        const stats = await Promise.all(files.map((path) => fixture.files.stat(path)));
        const sized = files.filter((_, i) => (stats[i]?.sizeBytes ?? 0) > 0);
        if (sized.length === 0) continue;
        const path = sized[random.integer(0, sized.length)] as string;
        const { sizeBytes = 0 } = (await fixture.files.stat(path)) ?? {};
        const bit = random.integer(0, sizeBytes * 8);
        fixture.files.flipBit(path, bit);
        const outcome = await (end === 'kill' ? fixture.kill() : fixture.reopen())
          .then(
            () => judge(fixture, truth, random),
            (error: unknown): Outcome => {
              expect(error).toBeInstanceOf(CorruptionError);
              return 'start refused';
            },
          )
          .catch((error: unknown) => {
            throw new Error(`${path}, bit ${bit} (byte ${bit >> 3})`, { cause: error });
          });
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      }
    },
    120_000,
  );
});

function isDamage(error: unknown): boolean {
  return error instanceof CorruptionError;
}
