import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchBuilder, COMPRESSION_TYPES, type CompressionType } from '../../src/log/record/index.ts';
import { LogFixture } from './log-fixture.ts';

const NOW = 700;

type Step =
  | { readonly kind: 'append'; readonly times: readonly number[]; readonly codec: CompressionType }
  | { readonly kind: 'truncate' | 'advance'; readonly part: number }
  | { readonly kind: 'restart' | 'restart without indexes' | 'kill' | 'flush' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        times: fc.array(fc.integer({ min: -1, max: 999 }), { minLength: 1, maxLength: 6 }),
        codec: fc.constantFrom(...COMPRESSION_TYPES),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('truncate' as const, 'advance' as const),
        part: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          'restart' as const,
          'restart without indexes' as const,
          'kill' as const,
          'flush' as const,
        ),
      }),
    },
  ),
  { minLength: 1, maxLength: 25 },
);

interface Known {
  readonly offset: number;
  readonly timestampMs: number;
}

/** All records ever kept, by offset, and where the log begins. */
class Model {
  records: Known[] = [];
  start = 0;

  get end(): number {
    return this.records.length;
  }

  first(timestampMs: number): Known | undefined {
    return this.records.find((one) => one.offset >= this.start && one.timestampMs >= timestampMs);
  }

  newest(): Known | undefined {
    const left = this.records.slice(this.start);
    const largest = Math.max(-1, ...left.map((one) => one.timestampMs));
    return largest === -1 ? undefined : left.find((one) => one.timestampMs === largest);
  }
}

async function play(step: Step, fixture: LogFixture, model: Model): Promise<void> {
  const { log } = fixture;
  if (step.kind === 'append') {
    const builder = new BatchBuilder({ compression: step.codec });
    for (const timestampMs of step.times) builder.append({ timestampMs, value: Buffer.from('some value') });
    log.appendAsLeader(builder.build(), { leaderEpoch: 0, nowMs: NOW });
    const isStamped = fixture.config.timestampType === 'LogAppendTime';
    for (const timestampMs of step.times)
      model.records.push({ offset: model.end, timestampMs: isStamped ? NOW : timestampMs });
    return;
  }
  await fixture.flushed();
  switch (step.kind) {
    case 'flush':
      return;
    case 'truncate':
      await log.truncateTo(log.highWatermark + Math.floor(step.part * (model.end - log.highWatermark)));
      // Whole batches go.
      model.records.length = log.logEndOffset;
      return;
    case 'advance':
      model.start += Math.floor(step.part * (model.end - model.start));
      log.setHighWatermark(Math.max(log.highWatermark, model.start));
      return log.advanceLogStart(model.start);
    case 'restart':
      return fixture.restart();
    case 'kill':
      return fixture.kill();
    case 'restart without indexes': {
      await fixture.manager.close({ brokerEpoch: 7 });
      for (const name of await fixture.files.list('/data/t-0'))
        if (name.endsWith('index')) await fixture.files.remove(`/data/t-0/${name}`);
      return fixture.reopen();
    }
  }
}

describe('offsets by time', () => {
  for (const timestampType of ['CreateTime', 'LogAppendTime'] as const)
    it(`are those of a search through all records, whatever the log went through, in ${timestampType}`, async () => {
      await fc.assert(
        fc.asyncProperty(steps, fc.constantFrom(0, 400, 1_000_000), async (history, tailCacheBytes) => {
          const config = { segmentBytes: 400, indexIntervalBytes: 100, timestampType };
          const fixture = await LogFixture.open({ tailCacheBytes, config });
          const model = new Model();
          for (const step of history) {
            await play(step, fixture, model);
            const targets = [
              0,
              1,
              NOW,
              NOW + 1,
              999,
              1000,
              ...model.records.slice(-3).map((one) => one.timestampMs),
            ];
            for (const timestampMs of targets)
              expect(await fixture.log.offsetForTimestamp(Math.max(0, timestampMs))).toEqual(
                model.first(Math.max(0, timestampMs)),
              );
            expect(await fixture.log.maxTimestamp()).toEqual(model.newest());
          }
          await fixture.manager.close({ brokerEpoch: 7 });
        }),
        { numRuns: 150 },
      );
    });

  it('pass over the largest timestamp of a batch once the log begins after it', async () => {
    const fixture = await LogFixture.open();
    const builder = new BatchBuilder({ compression: 'zstd' });
    for (const timestampMs of [900, 100, 200, 200]) builder.append({ timestampMs });
    fixture.log.appendAsLeader(builder.build(), { leaderEpoch: 0, nowMs: NOW });
    await fixture.flushed();
    expect(await fixture.log.maxTimestamp()).toEqual({ offset: 0, timestampMs: 900 });
    fixture.log.setHighWatermark(4);
    await fixture.log.advanceLogStart(1);
    expect(await fixture.log.offsetForTimestamp(150)).toEqual({ offset: 2, timestampMs: 200 });
    expect(await fixture.log.offsetForTimestamp(201)).toBeUndefined();
    expect(await fixture.log.maxTimestamp()).toEqual({ offset: 2, timestampMs: 200 });
  });
});
