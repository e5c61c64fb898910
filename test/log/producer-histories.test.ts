import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogFixture } from './log-fixture.ts';

/** What may happen to a log with three producers. `at`: a share of it. */
type Step =
  | { readonly kind: 'produce'; readonly producerId: number; readonly count: number; readonly bump: boolean }
  | { readonly kind: 'truncate' | 'advance'; readonly at: number }
  | { readonly kind: 'retain'; readonly bytes: number }
  | { readonly kind: 'empty' | 'flush' | 'checkpoint' | 'restart' }
  | { readonly kind: 'kill' | 'crash'; readonly seed: number };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('produce' as const),
      producerId: fc.integer({ min: 1, max: 3 }),
      count: fc.integer({ min: 1, max: 3 }),
      bump: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('truncate' as const, 'advance'), at: share }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('retain' as const), bytes: fc.constantFrom(0, 400) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('flush' as const, 'checkpoint', 'restart') }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'empty' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('kill' as const, 'crash'), seed: fc.nat() }) },
);

const histories = fc.array(step, { maxLength: 40, size: 'max' });
/** Small ones have a snapshot each, in a large one those of clean stops matter. */
const segmentSizes = fc.constantFrom(500, 5000);

interface Produced {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly count: number;
  readonly firstOffset: number;
}

const SEQUENCES = 2 ** 31;
const nextAfter = ({ baseSequence, count }: Produced): number => (baseSequence + count) % SEQUENCES;

/** Every batch that the log has had since it was last emptied, also those below its start. */
class Model {
  batches: Produced[] = [];

  of(producerId: number): Produced[] {
    const own = this.batches.filter((one) => one.producerId === producerId);
    return own.filter((one) => one.producerEpoch === own.at(-1)?.producerEpoch);
  }

  cut(endOffset: number): void {
    this.batches = this.batches.filter(({ firstOffset, count }) => firstOffset + count <= endOffset);
  }
}

function send(fixture: LogFixture, one: Omit<Produced, 'firstOffset'>) {
  const { count, producerId, producerEpoch, baseSequence } = one;
  const values = Array.from({ length: count }, () => 'some value');
  return fixture.append(values, { producerId, producerEpoch, baseSequence });
}

function produce(fixture: LogFixture, model: Model, step: Extract<Step, { kind: 'produce' }>): void {
  const { producerId, count, bump } = step;
  const last = model.of(producerId).at(-1);
  const begun = { producerEpoch: last?.producerEpoch ?? 0, baseSequence: SEQUENCES - 4 };
  const next = last === undefined ? begun : { ...begun, baseSequence: nextAfter(last) };
  const place =
    bump && last !== undefined ? { producerEpoch: last.producerEpoch + 1, baseSequence: 0 } : next;
  const batch = { producerId, count, ...place };
  const firstOffset = fixture.log.logEndOffset;
  expect(send(fixture, batch)).toMatchObject({ firstOffset, duplicate: false });
  model.batches.push({ ...batch, firstOffset });
}

async function play(one: Step, fixture: LogFixture, model: Model): Promise<void> {
  const { log } = fixture;
  switch (one.kind) {
    case 'produce':
      return produce(fixture, model, one);
    case 'truncate':
      await log.truncateTo(log.logStartOffset + Math.floor(one.at * (log.logEndOffset - log.logStartOffset)));
      return model.cut(log.logEndOffset);
    case 'advance':
      await fixture.flushed();
      log.setHighWatermark(log.logEndOffset);
      return log.advanceLogStart(
        log.logStartOffset + Math.floor(one.at * (log.logEndOffset - log.logStartOffset)),
      );
    case 'retain':
      await fixture.flushed();
      log.setHighWatermark(log.logEndOffset);
      log.config = { ...log.config, retentionBytes: one.bytes };
      return log.applyRetention(1000);
    case 'empty':
      model.batches = [];
      return log.truncateFullyAndStartAt(log.logEndOffset + 5);
    case 'flush':
      return fixture.flushed();
    case 'checkpoint':
      return fixture.manager.checkpointHighWatermarks();
    case 'restart':
      return fixture.restart();
    case 'kill':
    case 'crash':
      await fixture[one.kind](one.seed);
      return model.cut(fixture.log.logEndOffset);
  }
}

/** Repeats and gaps of every producer; none of it is appended. */
function compare(fixture: LogFixture, model: Model): void {
  const { logEndOffset } = fixture.log;
  for (const producerId of [1, 2, 3]) {
    const own = model.of(producerId);
    const last = own.at(-1);
    if (last === undefined) continue;
    for (const [age, one] of own.toReversed().entries()) {
      if (age >= 5) expect(() => send(fixture, one)).toThrow(/must send sequence/);
      else expect(send(fixture, one)).toMatchObject({ firstOffset: one.firstOffset, duplicate: true });
    }
    const baseSequence = (nextAfter(last) + 1) % SEQUENCES;
    expect(() => send(fixture, { ...last, baseSequence })).toThrow(/must send sequence/);
    if (last.producerEpoch > 0)
      expect(() => send(fixture, { ...last, producerEpoch: last.producerEpoch - 1 })).toThrow(/has epoch/);
  }
  expect(fixture.log.logEndOffset).toBe(logEndOffset);
}

describe('producers of a log', () => {
  it('are known by exactly the batches that the log has had, whatever it went through', async () => {
    await fc.assert(
      fc.asyncProperty(segmentSizes, histories, async (segmentBytes, steps) => {
        const fixture = await LogFixture.open({ config: { segmentBytes, indexIntervalBytes: 100 } });
        const model = new Model();
        for (const one of steps) {
          await play(one, fixture, model);
          expect(fixture.log.failure).toBeUndefined();
          compare(fixture, model);
        }
        await fixture.manager.close({ brokerEpoch: 1 });
      }),
      { numRuns: Number(process.env.LOG_RUNS ?? 100) },
    );
  }, 120_000);
});
