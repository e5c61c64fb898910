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
import { InflatedBlocks } from './inflated-blocks.ts';
import { Lz4Window } from './lz4-window.ts';
import { xxhash32Short } from './xxhash32.ts';

const MAGIC = 0x184d2204;
const STORED = 0x80000000;
/** No block of LZ4 grows more than that. */
const GROWTH_MAX = 255;

export function compressLz4(bytes: Buffer): Buffer {
  return compressFrameSync(bytes);
}

/** Throws {@link InflateError}. */
export function inflateLz4(bytes: Buffer, limitBytes: number): Buffer {
  const frame = readFrameHeader(bytes);
  const blocks = new InflatedBlocks(limitBytes);
  const window = frame.linked ? new Lz4Window() : undefined;
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
    const block = word >= STORED ? data : inflateBlock(data, blocks.roomBytes, frame, window);
    blocks.add(block);
    window?.add(block);
    at += size + (frame.blockChecksums ? 4 : 0);
  }
  if (at + (frame.contentChecksum ? 4 : 0) !== bytes.length)
    throw new InflateError('malformed', 'bytes follow the lz4 frame');
  return blocks.toBuffer();
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

/**
 * The library's block form starts with the size of its output buffer, all of which it allocates; more output than that
 * is an error.
 */
function inflateBlock(data: Buffer, roomBytes: number, frame: FrameHeader, window?: Lz4Window): Buffer {
  const blockBytesMax = Math.min(frame.blockBytesMax, data.length * GROWTH_MAX);
  const sized = Buffer.allocUnsafe(4 + data.length);
  sized.writeUInt32LE(Math.min(blockBytesMax, roomBytes), 0);
  data.copy(sized, 4);
  try {
    return window === undefined ? uncompressSync(sized) : uncompressSync(sized, window.bytes);
  } catch (error) {
    // Only where the limit, not the block, bounds the output can it be at fault.
    const tight = roomBytes < blockBytesMax;
    throw new InflateError(
      tight ? 'too-large' : 'malformed',
      tight ? 'inflates to more than the limit, or is damaged' : 'a block of the lz4 frame is damaged',
      error,
    );
  }
}
