import { CorruptionError, type Offset } from '../base/index.ts';
import type { FileHandle } from '../env/index.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  batchLastOffset,
  batchMagic,
  batchSizeBytes,
} from './record/index.ts';
import type { Segment } from './segment.ts';
import type { SegmentIndex } from './segment-index.ts';

export interface ReadOptions {
  readonly maxBytes: number;
  /** Exclusive: only batches that end below it. */
  readonly upperBound: Offset;
  /** The first batch is returned even when larger than maxBytes. */
  readonly atLeastOne: boolean;
}

export interface LogRead {
  /**
   * Ascending; each element holds one or more whole batches. The first may begin below the offset asked
   * for.
   */
  readonly batches: readonly Uint8Array[];
  readonly sizeBytes: number;
}

export const EMPTY_READ: LogRead = { batches: [], sizeBytes: 0 };

/** Read beyond maxBytes, to get past the batches between the index entry and the offset asked for. */
const SLACK_BYTES = 8 * 1024;
const READ_BYTES_MIN = 16 * 1024;

/** Where a batch begins that a reader will want next: spares the index and the batches before it. */
export interface ReadHint {
  readonly segment: Segment;
  readonly offset: Offset;
  readonly position: number;
}

/** Outcome of reading one segment; `past`: it holds nothing at or after `from`, the next one may. */
export interface SegmentRead {
  readonly read: LogRead;
  readonly past: boolean;
  readonly hint: ReadHint | undefined;
}

/**
 * The batches of a segment's file from the one that holds `from`, in one buffer of their own. Throws
 * CorruptionError when the file does not hold batches.
 */
export async function readSegment(
  segment: Segment,
  files: { readonly handle: FileHandle; readonly index: SegmentIndex },
  from: Offset,
  options: ReadOptions,
  hint: ReadHint | undefined,
): Promise<SegmentRead> {
  const end = segment.writtenBytes;
  const hinted = hint?.segment === segment && hint.offset === from;
  let position = hinted ? hint.position : files.index.offsets.lookup(from);
  let wanted = Math.max(READ_BYTES_MIN, options.maxBytes + (hinted ? 0 : SLACK_BYTES));
  while (position < end) {
    const chunk = Buffer.allocUnsafeSlow(Math.min(wanted, end - position));
    const filled = await files.handle.read(chunk, position);
    const found = selectBatches(chunk.subarray(0, filled), segment, position, from, options);
    if (found.kind === 'found') return toSegmentRead(segment, position, chunk, found);
    if (found.kind === 'skipped') position += found.bytes;
    // A batch larger than the window: read it whole.
    else wanted = found.bytes;
    if (filled === 0 || (found.kind === 'cut' && found.bytes > end - position))
      throw new CorruptionError(segment.logPath, position, 'a whole batch', 'the end of the file');
  }
  return { read: EMPTY_READ, past: true, hint: undefined };
}

type Selection =
  | { readonly kind: 'found'; readonly start: number; readonly end: number; readonly nextOffset: Offset }
  | { readonly kind: 'skipped'; readonly bytes: number }
  | { readonly kind: 'cut'; readonly bytes: number };

function selectBatches(
  chunk: Buffer,
  segment: Segment,
  position: number,
  from: Offset,
  options: ReadOptions,
): Selection {
  let at = 0;
  let start = -1;
  let nextOffset = from;
  while (at + BATCH_HEADER_BYTES <= chunk.length) {
    const size = batchSizeBytes(chunk, at);
    if (size < BATCH_HEADER_BYTES || batchMagic(chunk, at) !== BATCH_MAGIC)
      throw new CorruptionError(
        segment.logPath,
        position + at,
        'a record batch',
        `${size} bytes of something else`,
      );
    const lastOffset = batchLastOffset(chunk, at);
    if (lastOffset >= from) {
      const room = options.maxBytes - (start < 0 ? 0 : at - start);
      const fits = size <= room || (start < 0 && options.atLeastOne);
      if (lastOffset >= options.upperBound || !fits)
        return { kind: 'found', start: Math.max(start, 0), end: start < 0 ? 0 : at, nextOffset };
      if (at + size > chunk.length) break;
      if (start < 0) start = at;
      nextOffset = lastOffset + 1;
    } else if (at + size > chunk.length) break;
    at += size;
  }
  if (start >= 0) return { kind: 'found', start, end: at, nextOffset };
  if (at > 0) return { kind: 'skipped', bytes: at };
  return {
    kind: 'cut',
    bytes: chunk.length >= BATCH_HEADER_BYTES ? batchSizeBytes(chunk) : BATCH_HEADER_BYTES,
  };
}

function toSegmentRead(
  segment: Segment,
  position: number,
  chunk: Buffer,
  found: Extract<Selection, { kind: 'found' }>,
): SegmentRead {
  const { start, end, nextOffset } = found;
  if (start === end) return { read: EMPTY_READ, past: false, hint: undefined };
  const read = { batches: [chunk.subarray(start, end)], sizeBytes: end - start };
  return { read, past: false, hint: { segment, offset: nextOffset, position: position + end } };
}
