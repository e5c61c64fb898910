import { assert, CorruptionError, type Offset } from '../base/index.ts';
import { removeSnapshotsAbove } from './producer-replay.ts';
import { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import { scanBatches } from './segment-scan.ts';

/**
 * Cuts the files so that no batch ends at or after `offset`; nothing may be writing. Highest segments go first, each durably,
 * so that a crash leaves a beginning of the log and never a hole. Returns where the log ends now: below `offset` when that
 * lies within a batch.
 */
export async function truncateSegments(segments: SegmentList, offset: Offset): Promise<Offset> {
  const { files, directory } = segments;
  // The cut may come before the file of a new segment was made.
  const goes = ({ baseOffset, exists }: Segment): boolean => baseOffset >= offset || !exists;
  while (segments.all.length > 1 && goes(segments.active)) await segments.removeLast();
  const endOffset = await cutLast(segments, offset);
  await removeSnapshotsAbove(files, directory, endOffset);
  await files.syncDirectory(directory);
  return endOffset;
}

async function cutLast(segments: SegmentList, offset: Offset): Promise<Offset> {
  const { indexIntervalBytes } = segments.config;
  const segment = await segments.activate();
  const { handle, index } = segment;
  assert(handle !== undefined && index !== undefined, 'a loaded segment is open');
  index.truncateTo(offset);
  const start = index.offsets.lookup(offset);
  const range = { start, end: segment.writtenBytes, minOffset: segment.baseOffset, verify: false };
  let position = start;
  let endOffset = segment.baseOffset;
  const end = await scanBatches(handle, range, (header, at) => {
    if (header.lastOffset >= offset) return false;
    if (at > start || start === 0) index.note(header, at, indexIntervalBytes);
    position = at + header.sizeBytes;
    endOffset = header.lastOffset + 1;
    return true;
  });
  if (end.problem !== undefined)
    throw new CorruptionError(segment.logPath, end.position, 'a whole batch', end.problem);
  await handle.truncate(position);
  await handle.sync();
  segment.sizeBytes = position;
  segment.writtenBytes = position;
  await segment.removeIndex();
  return endOffset;
}

/** Empties the log: one new segment at `offset`. */
export async function replaceSegments(segments: SegmentList, offset: Offset): Promise<void> {
  const { files, directory } = segments;
  while (segments.all.length > 0) await segments.removeLast();
  await removeSnapshotsAbove(files, directory, -1);
  const segment = new Segment(files, directory, offset);
  segments.all.push(segment);
  await segments.create(segment);
}
