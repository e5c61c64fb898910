/**
 * Zstandard, as one frame or several one after the other: the library of Node stops silently after the first, where
 * Kafka's reader goes on. Bytes that are no frame are refused.
 *
 * The window that a frame announces, 128 MiB at most, is reserved and not touched beyond what comes out: it and the
 * output each take up to the limit. Source: RFC 8878 §3.1.
 */
import { zstdDecompressSync } from 'node:zlib';
import { InflateError } from './inflate-error.ts';
import { InflatedBlocks } from './inflated-blocks.ts';
import { intoOnePiece } from './one-piece.ts';

/** Throws {@link InflateError}, and what Node's zlib throws. */
export function inflateZstd(bytes: Buffer, limitBytes: number): Buffer {
  const frames = new InflatedBlocks(limitBytes);
  for (let at = 0; at < bytes.length; ) {
    const { buffer, engine } = inflateFrame(bytes.subarray(at), frames.roomBytes);
    const taken = engine.bytesWritten;
    if (taken < 1) throw new InflateError('malformed', 'a zstd frame has no bytes');
    frames.add(buffer);
    at += taken;
  }
  return frames.toBuffer();
}

interface InflatedFrame {
  readonly buffer: Buffer;
  /** What it took of the input. */
  readonly engine: { readonly bytesWritten: number };
}

function inflateFrame(bytes: Buffer, roomBytes: number): InflatedFrame {
  return intoOnePiece(
    saidBytes(bytes),
    roomBytes,
    (options) => zstdDecompressSync(bytes, { ...options, info: true }) as unknown as InflatedFrame,
  );
}

const MAGIC = 0xfd2fb528;
/** By the two bits that say how long the field is. */
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;

/** The frame content size; undefined: the writer did not know it yet, or these bytes are no frame. */
function saidBytes(bytes: Buffer): number | undefined {
  if (bytes.length < 18 || bytes.readUInt32LE(0) !== MAGIC) return undefined;
  const descriptor = bytes[4] as number;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 0x03] ?? 0);
  switch (descriptor >> 6) {
    case 0:
      return isSingleSegment ? bytes[at] : undefined;
    case 1:
      return bytes.readUInt16LE(at) + 256;
    case 2:
      return bytes.readUInt32LE(at);
    default:
      return Number(bytes.readBigUInt64LE(at));
  }
}
