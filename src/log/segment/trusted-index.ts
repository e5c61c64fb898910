/**
 * Index files carry no checksum. What they say of a batch is held against the log before it is believed; where they are
 * wrong, the index is made anew from the batches. Entries that this process made itself are believed.
 */
import type { Offset, WallMs } from '../../base/index.ts';
import type { FileHandle } from '../../env/index.ts';
import { BATCH_HEADER_BYTES, BATCH_MAGIC, batchLastOffset, batchMagic } from '../record/index.ts';
import type { Segment } from './segment.ts';
import type { SegmentIndex } from './segment-index.ts';
import { scanBatches } from './segment-scan.ts';
import type { TimeEntry } from './time-index.ts';

export interface OpenedSegment {
  readonly handle: FileHandle;
  readonly index: SegmentIndex;
}

/**
 * Position from which a scan meets the batch that holds `offset`: of a batch that ends at or before it, or the start of the
 * file. Throws CorruptionError.
 */
export async function locateBatch(
  segment: Segment,
  { handle, index }: OpenedSegment,
  offset: Offset,
  intervalBytes: number,
): Promise<number> {
  const entry = index.offsets.find(offset);
  if (entry === undefined) return 0;
  if (entry.offset >= segment.indexTrustedFrom) return entry.position;
  const header = Buffer.alloc(BATCH_HEADER_BYTES);
  const filled = await handle.read(header, entry.position);
  const isThere =
    filled === BATCH_HEADER_BYTES &&
    batchMagic(header) === BATCH_MAGIC &&
    batchLastOffset(header) === entry.offset;
  if (isThere) return entry.position;
  const remade = await segment.remakeIndex(intervalBytes);
  return remade.offsets.find(offset)?.position ?? 0;
}

/** The offset from which a search for the first record of `timestampMs` or later may begin. Throws CorruptionError. */
export async function locateTimestamp(
  segment: Segment,
  opened: OpenedSegment,
  timestampMs: WallMs,
  intervalBytes: number,
): Promise<Offset> {
  const entry = opened.index.times.find(timestampMs);
  if (entry === undefined) return segment.baseOffset;
  if (entry.offset >= segment.indexTrustedFrom) return entry.offset;
  if (await isTrue(entry, segment, opened)) return entry.offset;
  const remade = await segment.remakeIndex(intervalBytes);
  return remade.times.find(timestampMs)?.offset ?? segment.baseOffset;
}

/** Whether the batch that ends at the entry's offset bears its timestamp. */
export async function isTrue(
  entry: TimeEntry,
  segment: { readonly baseOffset: Offset; readonly writtenBytes: number },
  { handle, index }: OpenedSegment,
): Promise<boolean> {
  const start = index.offsets.find(entry.offset)?.position ?? 0;
  const range = { start, end: segment.writtenBytes, minOffset: segment.baseOffset, verify: false };
  let found = false;
  await scanBatches(handle, range, (header) => {
    found = header.lastOffset === entry.offset && header.maxTimestamp === entry.timestampMs;
    return header.lastOffset < entry.offset;
  });
  return found;
}
