import { CorruptionError, type Offset } from '../../base/index.ts';
import { removeSnapshotsAbove } from '../producer/producer-replay.ts';
import type { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import { type ScanEnd, scanBatches } from './segment-scan.ts';
import { locateBatch } from './trusted-index.ts';

/**
 * Where the log ends when every batch that ends at or after `offset` is gone: `offset`, or below it when
 * that lies in a batch.
 */
export async function findBatchBoundary(segments: SegmentList, offset: Offset): Promise<Offset> {
  let i = segments.indexOf(offset);
  while (i > 0 && segments.all[i]?.exists !== true) i--;
  const segment = segments.all[i];
  if (segment === undefined || segment.writtenBytes === 0) return segment?.baseOffset ?? offset;
  return segments.use(segment, async (handle, index) => {
    const { indexIntervalBytes } = segments.config;
    const start = await locateBatch(segment, { handle, index }, offset - 1, indexIntervalBytes);
    const range = { start, end: segment.writtenBytes, minOffset: segment.baseOffset, verify: false };
    const end = await scanBatches(handle, range, (header) => header.lastOffset < offset);
    assertSound(segment, end);
    return end.nextOffset;
  });
}

/**
 * Cuts the files at `offset`, where a batch begins; nothing may be writing. Highest segments go first, each
 * durably, so that a crash leaves a beginning of the log and never a hole.
 */
export async function truncateSegments(segments: SegmentList, offset: Offset): Promise<void> {
  const { files, directory } = segments;
  // The cut may come before the file of a new segment was made.
  const goes = ({ baseOffset, exists }: Segment): boolean => baseOffset >= offset || !exists;
  while (segments.all.length > 1 && goes(segments.active)) await segments.removeLast();
  await cutLast(segments, offset);
  await removeSnapshotsAbove(files, directory, offset);
  await files.syncDirectory(directory);
}

function cutLast(segments: SegmentList, offset: Offset): Promise<void> {
  const { indexIntervalBytes } = segments.config;
  return segments.activate(async (segment, handle, known) => {
    const start = await locateBatch(segment, { handle, index: known }, offset - 1, indexIntervalBytes);
    // It may be another one now.
    const index = segment.index ?? known;
    index.truncateTo(offset);
    segment.indexTrustedFrom = Math.min(segment.indexTrustedFrom, offset);
    const range = { start, end: segment.writtenBytes, minOffset: segment.baseOffset, verify: false };
    const end = await scanBatches(handle, range, (header, at) => {
      if (header.lastOffset >= offset) return false;
      if (at > start || start === 0) index.note(header, at, indexIntervalBytes);
      return true;
    });
    assertSound(segment, end);
    await handle.truncate(end.position);
    await handle.sync();
    segment.sizeBytes = end.position;
    segment.writtenBytes = end.position;
    if (end.position === 0) segment.firstTimestampMs = undefined;
    await segment.removeIndex();
  });
}

function assertSound(segment: Segment, end: ScanEnd): void {
  if (end.problem === undefined) return;
  throw new CorruptionError(segment.logPath, end.position, 'a whole batch', end.problem);
}
