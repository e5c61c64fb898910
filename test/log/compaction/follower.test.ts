import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batches } from '../../../src/log/record/index.ts';
import { CompactionFixture } from './compaction-fixture.ts';

const PRODUCERS = [0, 1];

/** A leader and a follower that copies it, both compacting on their own. */
class Pair {
  readonly leader: CompactionFixture;
  readonly follower: CompactionFixture;
  readonly #sent = new Map<number, { bytes: Uint8Array; firstOffset: number; sequence: number }[]>();
  epoch = 0;
  #counter = 0;

  private constructor(leader: CompactionFixture, follower: CompactionFixture) {
    this.leader = leader;
    this.follower = follower;
  }

  static async open(): Promise<Pair> {
    const config = { deleteRetentionMs: 1_000_000_000 };
    return new Pair(await CompactionFixture.open({ config }), await CompactionFixture.open({ config }));
  }

  put(producer: number, keys: readonly number[]): void {
    const sent = this.#sent.get(producer) ?? [];
    const last = sent.at(-1);
    const sequence = last === undefined ? 0 : last.sequence;
    const puts = keys.map((key) => ({ key: `k${key}`, value: `${this.#counter++}` }));
    const identity = { producerId: producer, producerEpoch: 0, baseSequence: sequence };
    const { bytes, appended } = this.leader.putCopied(puts, { epoch: this.epoch, ...identity });
    sent.push({ bytes, firstOffset: appended.firstOffset, sequence: sequence + keys.length });
    this.#sent.set(producer, sent);
  }

  /** The follower fetches up to the end, in steps of `maxBytes`. */
  async copy(maxBytes: number): Promise<void> {
    const { leader, follower } = this;
    await leader.settle();
    while (follower.log.logEndOffset < leader.log.logEndOffset) {
      const upperBound = leader.log.logEndOffset;
      const read = await leader.log.read(follower.log.logEndOffset, {
        maxBytes,
        upperBound,
        atLeastOne: true,
      });
      const copies = read.batches
        .flatMap((some) => [...batches(some)])
        .map(({ bytes }) => Buffer.from(bytes));
      expect(copies.length).toBeGreaterThan(0);
      follower.log.appendAsFollower(copies, this.epoch);
    }
    await follower.settle();
  }

  async compare(): Promise<void> {
    const { leader, follower } = this;
    expect(follower.log.logEndOffset).toBe(leader.log.logEndOffset);
    expect(await follower.table()).toEqual(await leader.table());
    for (let epoch = 0; epoch <= this.epoch; epoch++)
      expect(follower.log.endOffsetForEpoch(epoch)).toEqual(leader.log.endOffsetForEpoch(epoch));
    expect(follower.log.lastBatchEpoch).toBe(leader.log.lastBatchEpoch);
  }

  /** The follower leads: what was sent to the old leader is a repetition here too. */
  checkRepetitions(): void {
    for (const producer of PRODUCERS)
      for (const { bytes, firstOffset } of (this.#sent.get(producer) ?? []).slice(-5)) {
        const again = this.follower.log.appendAsLeader(Buffer.from(bytes), {
          leaderEpoch: this.epoch + 1,
          nowMs: this.follower.nowMs,
        });
        expect(again).toMatchObject({ firstOffset, duplicate: true });
      }
  }
}

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      producer: fc.constantFrom(...PRODUCERS),
      keys: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }),
      times: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'epoch' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('copy' as const), maxBytes: fc.integer({ min: 1, max: 900 }) }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'leader cleans' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'follower cleans' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'follower restarts without snapshots' as const }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(pair: Pair, one: Step): Promise<void> {
  switch (one.kind) {
    case 'put':
      for (let i = 0; i < one.times; i++) pair.put(one.producer, one.keys);
      return;
    case 'epoch':
      pair.epoch++;
      return;
    case 'copy':
      await pair.copy(one.maxBytes);
      return pair.compare();
    case 'leader cleans':
      expect((await pair.leader.clean()).kind).toBe('cleaned');
      return;
    case 'follower cleans':
      expect((await pair.follower.clean()).kind).toBe('cleaned');
      return;
    case 'follower restarts without snapshots':
      return pair.follower.restartWithout('.snapshot');
  }
}

describe('a follower of a compacted log', () => {
  it('gets the same table, epochs and repetitions, whoever has compacted what', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const pair = await Pair.open();
        for (const one of steps) await play(pair, one);
        await pair.copy(300);
        await pair.compare();
        pair.checkRepetitions();
      }),
      { numRuns: 200, seed: 4711 },
    );
  }, 120_000);

  it('learns where an epoch began although all records of its beginning are gone', async () => {
    const pair = await Pair.open();
    for (let i = 0; i < 20; i++) pair.put(0, [1]);
    pair.epoch = 1;
    const begin = pair.leader.log.logEndOffset;
    for (let i = 0; i < 30; i++) pair.put(0, [1]);
    await pair.leader.clean();
    await pair.copy(1000);
    expect(pair.follower.log.endOffsetForEpoch(0)).toEqual({ epoch: 0, endOffset: begin });
  });
});
