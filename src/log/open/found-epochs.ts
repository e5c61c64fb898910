/**
 * The leader epochs of a log as its batches tell them, where their file does not. No CRC covers the epoch of a batch, so it is
 * believed only in its order: none is lower than the one before. Neither a leader nor a follower appends such a batch, and what
 * a crash tears has no CRC that fits: one that is lower says that it, or one before, has changed on the disk.
 */
import { CorruptionError } from '../../base/index.ts';
import type { EpochCache } from '../epoch/epoch-cache.ts';
import type { BatchHeader } from '../record/index.ts';
import type { Segment } from '../segment/segment.ts';
import type { SegmentList } from '../segment/segment-list.ts';
import { scanBatches } from '../segment/segment-scan.ts';

/** The next batch of a scan. Throws CorruptionError. */
export function noteEpoch(
  epochs: EpochCache,
  { leaderEpoch, baseOffset }: BatchHeader,
  { logPath }: Segment,
  position: number,
): void {
  const before = epochs.epochAt(baseOffset - 1);
  if (before !== undefined && leaderEpoch < before)
    throw new CorruptionError(logPath, position, `leader epoch ${before} or later`, `${leaderEpoch}`);
  epochs.note(leaderEpoch, baseOffset);
}

/**
 * The file of the epochs is missing or does not know any: the batches do. Without, nobody could see a divergence. The last
 * segment may end in what a crash has torn. Throws CorruptionError.
 */
export async function findEpochs(segments: SegmentList, epochs: EpochCache): Promise<void> {
  for (const segment of segments.all) {
    if (segment.writtenBytes === 0) continue;
    const handle = await segments.files.open(segment.logPath, 'read');
    try {
      const range = { start: 0, end: segment.writtenBytes, minOffset: segment.baseOffset, verify: false };
      const end = await scanBatches(handle, range, (header, position) => {
        noteEpoch(epochs, header, segment, position);
        return true;
      });
      if (end.problem !== undefined && segment !== segments.active)
        throw new CorruptionError(segment.logPath, end.position, 'a whole batch', end.problem);
    } finally {
      await handle.close();
    }
  }
}
