import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { BATCH_HEADER_BYTES, BatchBuilder, type CompressionType } from '../../../src/log/record/index.ts';
import { stampCrc } from '../../../src/log/record/stamp-batch.ts';
import { xxhash32Short } from '../../../src/log/record/xxhash32.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A sound batch of one record, its compressed records replaced by these. */
export function batchAround(compression: CompressionType, records: Uint8Array): Buffer {
  const builder = new BatchBuilder({ compression });
  builder.append({ timestampMs: 1000, value: Buffer.from('v') });
  const batch = Buffer.concat([builder.build().subarray(0, BATCH_HEADER_BYTES), records]);
  batch.writeInt32BE(batch.length - 12, 8);
  stampCrc(batch);
  return batch;
}

const times = (count: number, block: Uint8Array): Buffer => Buffer.concat(Array(count).fill(block));

export function xerial(blocks: readonly Uint8Array[]): Buffer {
  const size = Buffer.alloc(4);
  const parts = blocks.flatMap((block) => {
    size.writeInt32BE(block.length);
    return [Buffer.from(size), block];
  });
  return Buffer.concat([Buffer.from('82534e41505059000000000100000001', 'hex'), ...parts]);
}

export function lz4Frame(flags: number, blocks: Uint8Array, contentBytes?: bigint): Buffer {
  const head = Buffer.alloc(contentBytes === undefined ? 7 : 15);
  head.writeUInt32LE(0x184d2204);
  head[4] = flags;
  head[5] = 0x70;
  if (contentBytes !== undefined) head.writeBigUInt64LE(contentBytes, 6);
  head[head.length - 1] = (xxhash32Short(head.subarray(4, -1)) >>> 8) & 0xff;
  return Buffer.concat([head, blocks, Buffer.alloc(4)]);
}

/** No content size, a window of 128 MiB, then `count` times `block`, then one byte. */
export function zstdFrame(count: number, block: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from('28b52ffd0088', 'hex'),
    times(count, block),
    Buffer.from('09000061', 'hex'),
  ]);
}

/** An RLE block of 128 KiB. */
const ZSTD_RUN = Buffer.from([0x02, 0x00, 0x10, 0x61]);
const LINKED = 0x40;
const INDEPENDENT = 0x60;
/** A block of one byte, compressed. */
const LZ4_BYTE = Buffer.from('020000001061', 'hex');

/** Small batches that say, or hold, far more than any batch may inflate to: refused with INVALID_RECORD. */
export const BOMBS: Readonly<Record<string, () => Buffer>> = {
  'gzip of 64 MiB': () => batchAround('gzip', gzipSync(Buffer.alloc(64 * MIB))),
  'gzip of 1000 members of 1 MiB': () =>
    batchAround('gzip', times(1000, gzipSync(Buffer.alloc(MIB), { level: 9 }))),
  'snappy of 20 MiB in one block': () => batchAround('snappy', compressSync(Buffer.alloc(20 * MIB))),
  'snappy that says 1 GiB': () => batchAround('snappy', Buffer.from('8080808004', 'hex')),
  'a snappy stream of 20 MiB': () =>
    batchAround('snappy', xerial(Array(640).fill(compressSync(Buffer.alloc(32 * KIB))))),
  'lz4 of 64 MiB': () => batchAround('lz4', compressFrameSync(Buffer.alloc(64 * MIB))),
  'zstd of 1 GiB': () => batchAround('zstd', zstdFrame(8192, ZSTD_RUN)),
  'zstd of 1000 frames of 1 MiB': () => batchAround('zstd', times(1000, zstdCompressSync(Buffer.alloc(MIB)))),
};

/** What costs far more than its bytes, or lies about itself: refused with CORRUPT_MESSAGE. */
export const FRAUDS: Readonly<Record<string, () => Buffer>> = {
  'snappy that says 8 MiB and holds 10 bytes': () =>
    batchAround('snappy', Buffer.from('8080800400000000000000', 'hex')),
  'a snappy stream of 140,000 bytes, each in a block': () =>
    batchAround('snappy', xerial(Array(140_000).fill(compressSync(Buffer.from('a'))))),
  'a snappy stream of 200,000 empty blocks': () =>
    batchAround('snappy', xerial(Array(200_000).fill(Buffer.alloc(1)))),
  'lz4 of 170,000 bytes, each in a block': () =>
    batchAround('lz4', lz4Frame(INDEPENDENT, times(170_000, LZ4_BYTE))),
  'lz4 of 170,000 bytes, each in a linked block': () =>
    batchAround('lz4', lz4Frame(LINKED, times(170_000, LZ4_BYTE))),
  'lz4 of 200,000 stored bytes, each in a block': () =>
    batchAround('lz4', lz4Frame(LINKED, times(200_000, Buffer.from('0100008061', 'hex')))),
  'lz4 of two frames': () => batchAround('lz4', times(2, compressFrameSync(Buffer.from('abc')))),
  'zstd of 70,000 frames of a byte': () =>
    batchAround('zstd', times(70_000, zstdCompressSync(Buffer.from('a')))),
  'zstd of 100,000 frames to be skipped': () =>
    batchAround('zstd', times(100_000, Buffer.from('502a4d1800000000', 'hex'))),
  'zstd that says 1 GiB and holds a byte': () =>
    batchAround('zstd', Buffer.from('28b52ffda00000004009000061', 'hex')),
  'zstd with bytes after its frame': () =>
    batchAround('zstd', Buffer.concat([zstdCompressSync(Buffer.from('a')), Buffer.from('more')])),
};
