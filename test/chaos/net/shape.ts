/**
 * What a link does to the bytes of one direction. Pure: a piece of bytes goes in, pieces with the time at which each may
 * go on come out.
 */
import type { Random } from '../../../src/base/index.ts';

export type LinkMode =
  | { readonly kind: 'pass' }
  /** Nothing goes on; what came is kept, as the sender's TCP would, and goes on when the mode changes. */
  | { readonly kind: 'hold' }
  /** The same, also where cuts are made of lost packets: connections are accepted, and then there is silence. */
  | { readonly kind: 'stall' }
  | { readonly kind: 'delay'; readonly minMs: number; readonly jitterMs: number }
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number }
  /** The first bytes of each piece go out one by one. */
  | { readonly kind: 'dribble' };

export interface Piece {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

export const PASS: LinkMode = { kind: 'pass' };
export const HOLD: LinkMode = { kind: 'hold' };

export function isHeld(mode: LinkMode): boolean {
  return mode.kind === 'hold' || mode.kind === 'stall';
}

/** Bytes of a piece that go out one by one; all of them would only be slow. */
const DRIBBLED_BYTES_MAX = 64;
const THROTTLED_PIECE_BYTES = 1024;

/** `lastDueMs`: when the piece before goes on; order is kept. A held piece is due at once: the link asks its mode first. */
export function shape(
  bytes: Buffer,
  mode: LinkMode,
  nowMs: number,
  lastDueMs: number,
  random: Random,
): Piece[] {
  const earliestMs = Math.max(nowMs, lastDueMs);
  switch (mode.kind) {
    case 'pass':
    case 'hold':
    case 'stall':
      return [{ bytes, dueMs: earliestMs }];
    case 'delay': {
      const dueMs = Math.max(lastDueMs, nowMs + mode.minMs + random.float() * mode.jitterMs);
      return [{ bytes, dueMs }];
    }
    case 'throttle': {
      const pieces: Piece[] = [];
      let dueMs = earliestMs;
      for (let from = 0; from < bytes.length; from += THROTTLED_PIECE_BYTES) {
        const part = bytes.subarray(from, from + THROTTLED_PIECE_BYTES);
        dueMs += (1000 * part.length) / mode.bytesPerSecond;
        pieces.push({ bytes: part, dueMs });
      }
      return pieces;
    }
    case 'dribble': {
      const pieces: Piece[] = [];
      const single = Math.min(bytes.length, DRIBBLED_BYTES_MAX);
      for (let at = 0; at < single; at++)
        pieces.push({ bytes: bytes.subarray(at, at + 1), dueMs: earliestMs });
      if (single < bytes.length) pieces.push({ bytes: bytes.subarray(single), dueMs: earliestMs });
      return pieces;
    }
  }
}

/** The filler of a value repeats eight hexadecimal digits (see `encodeValue`); nothing else of a request does so for long. */
const PERIOD = 8;
const REPEATED = 24;

/**
 * A copy of `bytes` with one bit flipped: of the value of a record, which its batch's CRC covers, or anywhere; undefined
 * when there is no such place.
 */
export function flip(bytes: Buffer, where: 'payload' | 'anywhere', random: Random): Buffer | undefined {
  const from = where === 'payload' ? findFiller(bytes) : 0;
  const length = where === 'payload' ? PERIOD + REPEATED : bytes.length;
  if (from < 0 || length === 0) return undefined;
  const at = from + random.integer(0, length);
  const flipped = Buffer.from(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << random.integer(0, 8));
  return flipped;
}

function findFiller(bytes: Buffer): number {
  let repeated = 0;
  for (let at = PERIOD; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    repeated = byte === bytes[at - PERIOD] && isHexDigit(byte) ? repeated + 1 : 0;
    if (repeated === REPEATED) return at + 1 - REPEATED - PERIOD;
  }
  return -1;
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66);
}
