import type { LeaderEpoch, Offset } from '../../base/index.ts';
import { batchBaseOffset, batchLastOffset, batchLeaderEpoch, validateBatch } from '../record/index.ts';

export interface BatchDamage {
  readonly expected: string;
  readonly found: string;
}

/**
 * What is wrong with `batch`, whole and stored, after which no offset below `nextOffset` may come. Offset and leader
 * epoch lie outside of the CRC: the first must fit behind the batch before, the second is the one that wrote the offset.
 *
 * `epochAt`: the leader epoch that wrote an offset; undefined: not known any more.
 */
export function findBatchDamage(
  batch: Uint8Array,
  nextOffset: Offset,
  epochAt: (offset: Offset) => LeaderEpoch | undefined,
): BatchDamage | undefined {
  const problem = validateBatch(batch);
  if (problem !== undefined) return { expected: 'a valid batch', found: problem.message };
  const baseOffset = batchBaseOffset(batch);
  if (baseOffset < nextOffset)
    return { expected: `a batch of offset ${nextOffset} or more`, found: `one of offset ${baseOffset}` };
  // Of its end: the epochs of a log may begin inside a batch, with the log.
  const epoch = epochAt(batchLastOffset(batch));
  const leaderEpoch = batchLeaderEpoch(batch);
  if (epoch === undefined || epoch === leaderEpoch) return undefined;
  return {
    expected: `leader epoch ${epoch} at offset ${baseOffset}`,
    found: `leader epoch ${leaderEpoch}`,
  };
}
