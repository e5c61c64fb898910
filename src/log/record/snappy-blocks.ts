/**
 * Snappy as Kafka's clients write it: the Java client a header and blocks of at most 32 KiB (the "xerial"
 * stream), most others one raw block. We write the first, which all of them read, and read both.
 *
 *   82 'SNAPPY' 00 | i32 version = 1 | i32 compatible = 1 | { i32 size, raw block }*
 *
 * A raw block starts with its inflated size as an unsigned varint, which is checked before anything is
 * allocated. Source: xerial/snappy-java SnappyCodec; "Snappy compressed format description".
 */
import { compressSync } from 'snappy';
import { InflateError } from './inflate-error.ts';
import { BlockSizes } from './inflated-blocks.ts';
import { inflateElements } from './snappy-elements.ts';

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const HEADER = Buffer.concat([MAGIC, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])]);
const BLOCK_BYTES = 32 * 1024;
/** Three bytes give 64 at most. What a block says it holds is allocated before it is looked into. */
const GROWTH_MAX = 32;

export function compressSnappy(bytes: Buffer): Buffer {
  const parts: Buffer[] = [HEADER];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = compressSync(bytes.subarray(at, at + BLOCK_BYTES));
    const size = Buffer.allocUnsafe(4);
    size.writeInt32BE(block.length, 0);
    parts.push(size, block);
  }
  return Buffer.concat(parts);
}

/** All blocks come out into one piece. Throws {@link InflateError}. */
export function inflateSnappy(bytes: Buffer, limitBytes: number): Buffer {
  const sizes = new BlockSizes(limitBytes);
  for (const block of findBlocks(bytes)) sizes.add(saidBytes(block, sizes.roomBytes));
  const piece = Buffer.allocUnsafeSlow(sizes.totalBytes);
  let start = 0;
  for (const block of findBlocks(bytes)) {
    const { size, at } = sizeOf(block);
    if (!inflateElements(block, at, piece, { start, end: start + size }))
      throw new InflateError('malformed', 'a snappy block is damaged');
    start += size;
  }
  return piece;
}

function* findBlocks(bytes: Buffer): Generator<Buffer> {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    yield bytes;
    return;
  }
  for (let at = HEADER.length; at < bytes.length; ) {
    const size = at + 4 <= bytes.length ? bytes.readInt32BE(at) : -1;
    at += 4;
    if (size < 0 || at + size > bytes.length)
      throw new InflateError('malformed', 'the snappy stream ends inside a block');
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** What a block says it inflates to, when that can be. */
function saidBytes(block: Buffer, roomBytes: number): number {
  const { size } = sizeOf(block);
  if (size > roomBytes) throw new InflateError('too-large', 'inflates to more than the limit');
  if (size > block.length * GROWTH_MAX)
    throw new InflateError('malformed', `a snappy block of ${block.length} bytes says it holds ${size}`);
  return size;
}

/** The inflated size with which a raw block begins, and where its elements do. */
function sizeOf(block: Buffer): { readonly size: number; readonly at: number } {
  let size = 0;
  for (let group = 0; group < 5; group++) {
    const byte = block[group];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 2 ** (7 * group);
    if (byte < 0x80) return { size, at: group + 1 };
  }
  throw new InflateError('malformed', 'a snappy block has no size');
}
