/**
 * LZ4 frames, inflated block by block so that the output never passes a limit.
 *
 *   magic u32le 0x184D2204 | FLG u8 | BD u8 | [content size u64le] | [dictionary id u32le] | HC u8
 *   blocks: size u32le (high bit: stored) | data | [block checksum u32le]      end mark: size 0
 *   [content checksum u32le]
 *
 * FLG: bits 6-7 version = 1, 5 independent blocks, 4 block checksums, 3 content size, 2 content checksum, 0
 * dictionary id. BD bits 4-6: largest block, 4..7 = 64 KiB..4 MiB. HC = second byte of xxHash32 of
 * FLG..(before HC). Block and content checksums are not compared: the CRC of the batch covers the same
 * bytes. We write independent blocks, the only kind Kafka's own reader can take, and read both. Source:
 * "LZ4 Frame Format Description" 1.6.
 */
import { compressFrameSync, uncompressSync } from 'lz4-napi';
import { InflateError } from './inflate-error.ts';
import { xxhash32Short } from './xxhash32.ts';

const MAGIC = 0x184d2204;
const STORED = 0x80000000;
/** How far back a linked block may refer. */
const WINDOW_BYTES = 65_536;

export function compressLz4(bytes: Buffer): Buffer {
  return compressFrameSync(bytes);
}

/** Throws {@link InflateError}. */
export function inflateLz4(bytes: Buffer, limitBytes: number): Buffer {
  const frame = readFrameHeader(bytes);
  const blocks: Buffer[] = [];
  let total = 0;
  let at = frame.headerBytes;
  for (;;) {
    if (at + 4 > bytes.length) throw new InflateError('malformed', 'the lz4 frame has no end mark');
    const word = bytes.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const size = (word & ~STORED) >>> 0;
    if (size > frame.blockBytesMax || at + size > bytes.length)
      throw new InflateError('malformed', `the lz4 frame has a block of ${size} bytes`);
    const data = bytes.subarray(at, at + size);
    const room = Math.min(frame.blockBytesMax, limitBytes - total);
    const block = word >= STORED ? data : inflateBlock(data, room, frame, blocks);
    total += block.length;
    if (total > limitBytes) throw new InflateError('too-large', `inflates to more than ${limitBytes} bytes`);
    blocks.push(block);
    at += size + (frame.blockChecksums ? 4 : 0);
  }
  if (at + (frame.contentChecksum ? 4 : 0) !== bytes.length)
    throw new InflateError('malformed', 'bytes follow the lz4 frame');
  const [only] = blocks;
  return blocks.length === 1 && only !== undefined ? only : Buffer.concat(blocks, total);
}

interface FrameHeader {
  readonly headerBytes: number;
  readonly blockBytesMax: number;
  readonly linked: boolean;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
}

function readFrameHeader(bytes: Buffer): FrameHeader {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== MAGIC)
    throw new InflateError('malformed', 'the records are no lz4 frame');
  const flags = bytes[4] as number;
  const size = ((bytes[5] as number) >> 4) & 0x07;
  if (flags >> 6 !== 1 || size < 4) throw new InflateError('malformed', 'the lz4 frame has unknown flags');
  if ((flags & 0x01) !== 0) throw new InflateError('malformed', 'the lz4 frame wants a dictionary');
  const checksumAt = 6 + ((flags & 0x08) !== 0 ? 8 : 0);
  const checksum = (xxhash32Short(bytes.subarray(4, checksumAt)) >>> 8) & 0xff;
  if (bytes[checksumAt] !== checksum)
    throw new InflateError('malformed', 'the lz4 frame header fails its checksum');
  return {
    headerBytes: checksumAt + 1,
    blockBytesMax: 2 ** (8 + 2 * size),
    linked: (flags & 0x20) === 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 0x04) !== 0,
  };
}

/** The library's block form starts with the size of its output buffer; more output than that is an error. */
function inflateBlock(data: Buffer, room: number, frame: FrameHeader, before: readonly Buffer[]): Buffer {
  const sized = Buffer.allocUnsafe(4 + data.length);
  sized.writeUInt32LE(room, 0);
  data.copy(sized, 4);
  try {
    return frame.linked ? uncompressSync(sized, windowOf(before)) : uncompressSync(sized);
  } catch (error) {
    // LZ4 cannot grow its input more than 255-fold: only then can the limit, not the data, be at fault.
    const tight = room < frame.blockBytesMax && data.length * 255 > room;
    throw new InflateError(
      tight ? 'too-large' : 'malformed',
      tight ? 'inflates to more than the limit, or is damaged' : 'a block of the lz4 frame is damaged',
      error,
    );
  }
}

function windowOf(before: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (let i = before.length - 1; i >= 0 && bytes < WINDOW_BYTES; i--) {
    const block = before[i] as Buffer;
    parts.unshift(block);
    bytes += block.length;
  }
  const all = Buffer.concat(parts, bytes);
  return all.subarray(Math.max(0, bytes - WINDOW_BYTES));
}
