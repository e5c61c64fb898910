import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyLog } from '../../../src/client/admin/verify-log.ts';
import type { LogDigestReply, LogDigestRequest } from '../../../src/rpc/api/index.ts';

interface Batch {
  readonly offset: number;
  readonly count: number;
  readonly content: string;
}

/** A replica as `logDigest` shows it. */
class FakeReplica {
  batches: Batch[];
  logStartOffset = 0;
  highWatermark: number;
  /** Batches of one answer. */
  batchesMax = 3;
  problem: { error: LogDigestReply['error']; errorMessage: string } | undefined;
  asked = 0;

  constructor(batches: readonly Batch[]) {
    this.batches = [...batches];
    const last = batches.at(-1);
    this.highWatermark = last === undefined ? 0 : last.offset + last.count;
  }

  answer({ brokerId, fromOffset, toOffset }: LogDigestRequest): LogDigestReply {
    this.asked++;
    const nothing = {
      brokerId,
      logStartOffset: -1,
      highWatermark: -1,
      nextOffset: -1,
      segmentBaseOffset: -1,
    };
    if (this.problem !== undefined) return { ...this.problem, ...nothing, bytes: 0, batches: 0, digest: '' };
    const isEmpty = fromOffset === toOffset;
    if (!isEmpty && (fromOffset < this.logStartOffset || toOffset > this.highWatermark))
      return { error: 'OFFSET_OUT_OF_RANGE', ...nothing, bytes: 0, batches: 0, digest: '' };
    const all = this.batches.filter(({ offset }) => offset >= fromOffset && offset < toOffset);
    const some = all.slice(0, this.batchesMax);
    const next = all[this.batchesMax];
    return {
      error: 'NONE',
      brokerId,
      logStartOffset: this.logStartOffset,
      highWatermark: this.highWatermark,
      nextOffset: next === undefined ? toOffset : next.offset,
      bytes: some.length * 10,
      batches: some.length,
      digest: createHash('sha256').update(JSON.stringify(some)).digest('hex'),
      segmentBaseOffset: 0,
    };
  }
}

const batchesOf = (counts: readonly number[]): Batch[] => {
  let offset = 0;
  return counts.map((count) => {
    const batch = { offset, count, content: `at ${offset}` };
    offset += count;
    return batch;
  });
};

const verify = (replicas: readonly FakeReplica[]) =>
  verifyLog(
    { topic: 't', partition: 3, replicas: replicas.map((_, i) => i + 1) },
    {
      ask: async (request) => {
        const replica = replicas[request.brokerId - 1];
        if (replica === undefined) throw new Error('no such broker');
        return replica.answer(request);
      },
    },
  );

const three = (counts = [2, 3, 1, 5, 4, 1, 1, 7]): [FakeReplica, FakeReplica, FakeReplica] => [
  new FakeReplica(batchesOf(counts)),
  new FakeReplica(batchesOf(counts)),
  new FakeReplica(batchesOf(counts)),
];

describe('replicas', () => {
  it('that hold the same are equal, from the highest log start to the lowest high watermark', async () => {
    const [a, b, c] = three();
    a.logStartOffset = 5;
    c.highWatermark = 16;
    expect(await verify([a, b, c])).toMatchObject({
      kind: 'equal',
      fromOffset: 5,
      toOffset: 16,
      compared: [1, 2, 3],
      problems: [],
    });
  });

  it('are equal also when each answers another amount at a time', async () => {
    const [a, b, c] = three();
    [a.batchesMax, b.batchesMax, c.batchesMax] = [1, 2, 5];
    expect(await verify([a, b, c])).toMatchObject({ kind: 'equal', toOffset: 24 });
  });

  it('of which one has another batch are told apart at its first offset, whichever batch it is', async () => {
    const counts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        counts,
        fc.nat(),
        fc.integer({ min: 0, max: 2 }),
        fc.boolean(),
        async (all, which, odd, cut) => {
          const replicas = three(all);
          const replica = replicas[odd];
          const at = which % all.length;
          const batch = replica?.batches[at];
          if (replica === undefined || batch === undefined) throw new Error('there is a batch');
          if (cut) replica.batches.splice(at, 1);
          else replica.batches[at] = { ...batch, content: 'other' };
          const verdict = await verify(replicas);
          expect(verdict.kind).toBe('differs');
          expect(verdict.difference).toMatchObject({ offset: batch.offset, odd: [odd + 1] });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('that all differ have no majority, nor have two', async () => {
    const [a, b, c] = three();
    a.batches[3] = { offset: 6, count: 5, content: 'x' };
    b.batches[3] = { offset: 6, count: 5, content: 'y' };
    expect((await verify([a, b, c])).difference).toMatchObject({ offset: 6, odd: [] });
    expect((await verify([a, b])).difference).toMatchObject({ offset: 6, odd: [] });
  });

  it('that cannot answer are named, and the others compared', async () => {
    const [a, b, c] = three();
    b.problem = { error: 'KAFKA_STORAGE_ERROR', errorMessage: 't-3/0.log is damaged at byte 7' };
    const verdict = await verify([a, b, c]);
    expect(verdict).toMatchObject({ kind: 'equal', compared: [1, 3] });
    expect(verdict.problems).toEqual([
      { brokerId: 2, error: 'KAFKA_STORAGE_ERROR', message: 't-3/0.log is damaged at byte 7' },
    ]);
    c.problem = b.problem;
    expect(await verify([a, b, c])).toMatchObject({ kind: 'alone', compared: [1] });
  });

  it('that lose their oldest records meanwhile are compared anew from there', async () => {
    const [a, b, c] = three();
    const answer = c.answer.bind(c);
    c.answer = (request) => {
      if (c.asked === 2) c.logStartOffset = 11;
      return answer(request);
    };
    expect(await verify([a, b, c])).toMatchObject({
      kind: 'equal',
      fromOffset: 11,
      toOffset: 24,
      problems: [],
    });
  });

  it('that lose records without end come to an end', async () => {
    const [a, b, c] = three();
    const answer = c.answer.bind(c);
    c.answer = (request) => {
      const reply = answer(request);
      return request.toOffset > 0 ? { ...reply, error: 'OFFSET_OUT_OF_RANGE' } : reply;
    };
    expect((await verify([a, b, c])).problems).toMatchObject([{ brokerId: 3, error: 'OFFSET_OUT_OF_RANGE' }]);
  });
});
