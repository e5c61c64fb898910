import type { Offset } from '../../base/index.ts';
import type { FileHandle } from '../../env/index.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BATCH_OVERHEAD_BYTES,
  type BatchHeader,
  batchMagic,
  batchSizeBytes,
  readBatchHeader,
  validateBatch,
} from '../record/index.ts';

/** Bytes of one read of a scan; a larger batch is read alone. */
const WINDOW_BYTES = 1024 * 1024;
/** What a disk writes whole or not at all; those with larger ones end theirs there, too. */
const SECTOR_BYTES = 512;
const OFFSET_BYTES = 8;

export interface ScanRange {
  /** Where a batch begins. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Batches must begin at this offset or later, and grow. */
  readonly minOffset: Offset;
  /** Whether CRCs are compared; else headers alone are looked at. */
  readonly verify: boolean;
}

export interface ScanEnd {
  /** After the last good batch. */
  readonly position: number;
  /** After the last good batch, or minOffset. */
  readonly nextOffset: Offset;
  /** Why the scan ended before `end`, unless the visitor wished so. */
  readonly problem: string | undefined;
  /** The problem is a batch that is good in itself, with an offset that cannot follow, and that no crash has torn. */
  readonly isMisplaced: boolean;
}

/**
 * Hands the batches of a file range to `visit`, in order, until it returns false or a bad batch is met. The
 * bytes given to `visit` are reused after it returns.
 */
export async function scanBatches(
  handle: FileHandle,
  range: ScanRange,
  visit: (header: BatchHeader, position: number, bytes: Uint8Array) => boolean,
): Promise<ScanEnd> {
  let window = Buffer.allocUnsafeSlow(
    Math.min(WINDOW_BYTES, Math.max(range.end - range.start, BATCH_HEADER_BYTES)),
  );
  let position = range.start;
  let nextOffset = range.minOffset;
  const endAt = (problem?: string, isMisplaced = false): ScanEnd => {
    return { position, nextOffset, problem, isMisplaced };
  };
  while (position < range.end) {
    const wanted = Math.min(window.length, range.end - position);
    const filled = await handle.read(window.subarray(0, wanted), position);
    const bytes = window.subarray(0, filled);
    let at = 0;
    for (;;) {
      const size = at + BATCH_OVERHEAD_BYTES <= filled ? batchSizeBytes(bytes, at) : 0;
      if (at + BATCH_HEADER_BYTES > filled || at + size > filled) break;
      const problem = problemAt(bytes, at, size, range.verify);
      if (problem !== undefined) return endAt(problem);
      const header = readBatchHeader(bytes, at);
      if (header.baseOffset < nextOffset) {
        const isMisplaced = range.verify && !isTornOffset(bytes, at, position);
        return endAt(`offset ${header.baseOffset} where ${nextOffset} or more must be`, isMisplaced);
      }
      if (!visit(header, position, bytes.subarray(at, at + size))) return endAt();
      at += size;
      position += size;
      nextOffset = header.lastOffset + 1;
    }
    if (at > 0) continue;
    const cut = cutBatchSize(bytes, range.end - position, filled < wanted);
    if (typeof cut === 'string') return endAt(cut);
    window = Buffer.allocUnsafeSlow(cut);
  }
  return endAt();
}

/**
 * A crash tears between sectors, and no CRC covers the head of a batch: where a sector ends within its first twelve bytes, and
 * only that sector was lost, the offset reads as zeros, and the rest is whole.
 */
function isTornOffset(bytes: Buffer, at: number, position: number): boolean {
  const lostBytes = SECTOR_BYTES - (position % SECTOR_BYTES);
  const isCut = lostBytes < BATCH_OVERHEAD_BYTES;
  return isCut && bytes.subarray(at, at + Math.min(lostBytes, OFFSET_BYTES)).every((byte) => byte === 0);
}

function problemAt(bytes: Buffer, at: number, size: number, verify: boolean): string | undefined {
  if (size < BATCH_HEADER_BYTES) return `a batch of ${size} bytes`;
  if (batchMagic(bytes, at) !== BATCH_MAGIC) return `magic ${batchMagic(bytes, at)}`;
  return verify ? validateBatch(bytes.subarray(at, at + size))?.message : undefined;
}

/** The first batch of the window is not whole in it: its size when the file has it, else why not. */
function cutBatchSize(bytes: Buffer, leftBytes: number, shortRead: boolean): number | string {
  if (shortRead || leftBytes < BATCH_HEADER_BYTES) return `a batch cut after ${bytes.length} bytes`;
  const size = batchSizeBytes(bytes);
  if (size < BATCH_HEADER_BYTES) return `a batch of ${size} bytes`;
  return size > leftBytes ? `a batch of ${size} bytes where ${leftBytes} are left` : size;
}
