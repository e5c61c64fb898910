/**
 * What must be true of the batches of a closed segment, looked at a piece at a time. Pure.
 *
 *   size, magic, counts and CRC are right; offsets grow from batch to batch; each batch bears the leader epoch that
 *   the epoch cache has for its offset.
 *
 * The last two watch the three fields that lie outside of the CRC: a base offset that turned upwards runs into the
 * next batch, one that turned downwards into the one before.
 */
import type { LeaderEpoch, Offset } from '../../base/index.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  type BatchHeader,
  batchMagic,
  batchSizeBytes,
  readBatchHeader,
} from '../record/index.ts';
import { type BatchDamage, findBatchDamage } from '../segment/batch-damage.ts';

export interface Damage extends BatchDamage {
  readonly position: number;
}

/** A piece of a segment. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Of the piece in the file; a batch begins there. */
  readonly position: number;
  /** Where the segment ends. */
  readonly endPosition: number;
  /** No batch may begin below it. */
  readonly nextOffset: Offset;
}

export type PieceVerdict =
  /** Whole batches up to `position`, none bad. */
  | { readonly kind: 'sound'; readonly position: number; readonly nextOffset: Offset }
  /** The first batch is longer than the piece: it takes so many bytes. */
  | { readonly kind: 'longer'; readonly sizeBytes: number }
  | ({ readonly kind: 'damage' } & Damage);

/** `epochAt`: the leader epoch that wrote an offset; undefined: not known any more. */
export function checkPiece(
  piece: Piece,
  epochAt: (offset: Offset) => LeaderEpoch | undefined,
  visit: (header: BatchHeader, position: number) => void,
): PieceVerdict {
  const { bytes, endPosition } = piece;
  let { position, nextOffset } = piece;
  let at = 0;
  while (at < bytes.length) {
    const damage = (expected: string, found: string): PieceVerdict => ({
      kind: 'damage',
      position,
      expected,
      found,
    });
    const leftBytes = endPosition - position;
    if (leftBytes < BATCH_HEADER_BYTES) return damage('a whole batch', `${leftBytes} bytes`);
    if (bytes.length - at < BATCH_HEADER_BYTES) break;
    const sizeBytes = batchSizeBytes(bytes, at);
    if (sizeBytes < BATCH_HEADER_BYTES || sizeBytes > leftBytes)
      return damage(`a batch of ${BATCH_HEADER_BYTES} to ${leftBytes} bytes`, `one of ${sizeBytes} bytes`);
    const magic = batchMagic(bytes, at);
    if (magic !== BATCH_MAGIC) return damage(`magic ${BATCH_MAGIC}`, `magic ${magic}`);
    if (at + sizeBytes > bytes.length) {
      if (at === 0) return { kind: 'longer', sizeBytes };
      break;
    }
    const bad = findBatchDamage(bytes.subarray(at, at + sizeBytes), nextOffset, epochAt);
    if (bad !== undefined) return damage(bad.expected, bad.found);
    const header = readBatchHeader(bytes, at);
    visit(header, position);
    at += sizeBytes;
    position += sizeBytes;
    nextOffset = header.lastOffset + 1;
  }
  if (at === 0) return { kind: 'longer', sizeBytes: BATCH_HEADER_BYTES };
  return { kind: 'sound', position, nextOffset };
}
