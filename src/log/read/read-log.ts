/**
 * Reading batches from a segment's file. A disk may hand back other bytes than it was given, so nothing leaves here unchecked:
 *
 *   each batch has its CRC; offset and leader epoch, which the CRC does not cover, fit between the batch before and the
 *   batch after, and the epochs the log knows.
 */
import { CorruptionError, type LeaderEpoch, type Offset } from '../../base/index.ts';
import type { FileHandle } from '../../env/index.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  batchBaseOffset,
  batchLastOffset,
  batchMagic,
  batchSizeBytes,
} from '../record/index.ts';
import { findBatchDamage } from '../segment/batch-damage.ts';
import type { Segment } from '../segment/segment.ts';
import { locateBatch, type OpenedSegment } from '../segment/trusted-index.ts';
import { NOTHING, READ_AHEAD_BYTES } from './read-ahead.ts';
import type { ReadHint } from './read-cursors.ts';

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
/** A batch begins with its offset. */
const OFFSET_BYTES = 8;

/** Outcome of reading one segment; `past`: it holds nothing at or after `from`, the next one may. */
export interface SegmentRead {
  readonly read: LogRead;
  readonly past: boolean;
  readonly hint: ReadHint | undefined;
}

/** What the log knows beyond the file. */
export interface ReadWitness {
  readonly hint: ReadHint | undefined;
  /** Asked before more is read of a file than is wanted, for who goes on here. */
  readonly mayReadAhead: () => boolean;
  readonly indexIntervalBytes: number;
  /** What the file holds now ends at or before it. */
  endOffset(): Offset;
  /** Of the batch that holds the offset; undefined: not known. */
  readonly epochAt: (offset: Offset) => LeaderEpoch | undefined;
}

/**
 * The batches of a segment's file from the one that holds `from`, in one buffer of their own. Throws
 * CorruptionError when the file does not hold what was written.
 */
export async function readSegment(
  segment: Segment,
  opened: OpenedSegment,
  from: Offset,
  options: ReadOptions,
  witness: ReadWitness,
): Promise<SegmentRead> {
  const end = segment.writtenBytes;
  const endOffset = witness.endOffset();
  const { hint, indexIntervalBytes } = witness;
  const hinted = hint?.segment === segment && hint.offset === from;
  let position = hinted ? hint.position : await locateBatch(segment, opened, from, indexIntervalBytes);
  // Of the first batch after an index entry only that it is the one of the entry.
  const walk = { nextOffset: hinted ? from : position === 0 ? segment.baseOffset : 0 };
  const wanted = Math.max(READ_BYTES_MIN, options.maxBytes + (hinted ? 0 : SLACK_BYTES));
  let kept = hinted && hint.ahead.length >= Math.min(wanted, end - position) ? hint.ahead : undefined;
  const isAhead = kept !== undefined || (hinted && wanted < READ_AHEAD_BYTES && witness.mayReadAhead());
  let size = isAhead ? READ_AHEAD_BYTES : wanted;
  while (position < end) {
    const bytes = kept ?? (await readBytes(opened.handle, position, Math.min(size, end - position)));
    const window = { bytes, position, segment };
    const found = selectBatches(window, from, options, walk, witness);
    if (found.kind === 'found') {
      if (found.soundTo > 0) await assertFollowed(window, found, opened.handle, { end, endOffset });
      return toSegmentRead(window, found, isAhead);
    }
    kept = undefined;
    if (found.kind === 'skipped') position += found.bytes;
    // A batch larger than the window: read it whole.
    else size = found.bytes;
    if (bytes.length === 0 || (found.kind === 'cut' && found.bytes > end - position))
      throw new CorruptionError(segment.logPath, position, 'a whole batch', 'the end of the file');
  }
  return { read: EMPTY_READ, past: true, hint: undefined };
}

async function readBytes(handle: FileHandle, position: number, sizeBytes: number): Promise<Buffer> {
  const chunk = Buffer.allocUnsafeSlow(sizeBytes);
  const filled = await handle.read(chunk, position);
  return chunk.subarray(0, filled);
}

interface Window {
  readonly bytes: Buffer;
  /** In the file. */
  readonly position: number;
  readonly segment: Segment;
}

/** The batches met so far. */
interface Walk {
  nextOffset: Offset;
}

type Selection =
  | {
      readonly kind: 'found';
      readonly start: number;
      readonly end: number;
      /** Everything before it is sound; beyond `end` when the first batch that matters may not be shown yet. */
      readonly soundTo: number;
      readonly nextOffset: Offset;
    }
  | { readonly kind: 'skipped'; readonly bytes: number }
  | { readonly kind: 'cut'; readonly bytes: number };

function selectBatches(
  window: Window,
  from: Offset,
  options: ReadOptions,
  walk: Walk,
  witness: ReadWitness,
): Selection {
  const { bytes } = window;
  let at = 0;
  let start = -1;
  const foundTo = (end: number, soundTo: number): Selection => {
    return { kind: 'found', start: start < 0 ? end : start, end, soundTo, nextOffset: walk.nextOffset };
  };
  while (at + BATCH_HEADER_BYTES <= bytes.length) {
    const size = batchSizeBytes(bytes, at);
    if (size < BATCH_HEADER_BYTES || batchMagic(bytes, at) !== BATCH_MAGIC)
      throw damage(window, at, 'a record batch', `${size} bytes of something else`);
    const lastOffset = batchLastOffset(bytes, at);
    const isWanted = lastOffset >= from;
    const isBeyond = lastOffset >= options.upperBound;
    const room = options.maxBytes - (start < 0 ? 0 : at - start);
    if (isWanted && size > room && !(start < 0 && options.atLeastOne)) return foundTo(at, at);
    if (isBeyond && start >= 0) return foundTo(at, at);
    if (at + size > bytes.length) break;
    // Also of what is not handed out: by a wrong length or offset it would hide what was asked for.
    assertSound(window, at, size, walk, witness);
    walk.nextOffset = lastOffset + 1;
    if (isBeyond) return foundTo(at, at + size);
    if (isWanted && start < 0) start = at;
    at += size;
  }
  if (start >= 0) return foundTo(at, at);
  if (at > 0) return { kind: 'skipped', bytes: at };
  return {
    kind: 'cut',
    bytes: bytes.length >= BATCH_HEADER_BYTES ? batchSizeBytes(bytes) : BATCH_HEADER_BYTES,
  };
}

function assertSound(window: Window, at: number, size: number, walk: Walk, witness: ReadWitness): void {
  const batch = window.bytes.subarray(at, at + size);
  const bad = findBatchDamage(batch, walk.nextOffset, witness.epochAt);
  if (bad !== undefined) throw damage(window, at, bad.expected, bad.found);
}

/** What comes after the last batch begins after it: else the offset of one of them is wrong. */
async function assertFollowed(
  window: Window,
  { soundTo, nextOffset }: { readonly soundTo: number; readonly nextOffset: Offset },
  handle: FileHandle,
  file: { readonly end: number; readonly endOffset: Offset },
): Promise<void> {
  let following = file.endOffset;
  if (soundTo + OFFSET_BYTES <= window.bytes.length) following = batchBaseOffset(window.bytes, soundTo);
  else if (window.position + soundTo < file.end) {
    const next = Buffer.alloc(OFFSET_BYTES);
    await handle.read(next, window.position + soundTo);
    following = batchBaseOffset(next);
  }
  if (following < nextOffset) throw damage(window, soundTo, `offset ${nextOffset} or more`, `${following}`);
}

function damage({ segment, position }: Window, at: number, expected: string, found: string): CorruptionError {
  return new CorruptionError(segment.logPath, position + at, expected, found);
}

function toSegmentRead(
  { segment, position, bytes }: Window,
  found: Extract<Selection, { kind: 'found' }>,
  isAhead: boolean,
): SegmentRead {
  const { start, end, nextOffset } = found;
  if (start === end) return { read: EMPTY_READ, past: false, hint: undefined };
  const read = { batches: [bytes.subarray(start, end)], sizeBytes: end - start };
  const ahead = isAhead ? bytes.subarray(end) : NOTHING;
  return { read, past: false, hint: { segment, offset: nextOffset, position: position + end, ahead } };
}
