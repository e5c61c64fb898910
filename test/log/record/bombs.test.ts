import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { inflate } from '../../../src/log/record/compression.ts';
import {
  BATCH_HEADER_BYTES,
  inflatedBytesMaxOf,
  inflateRecords,
  readBatchHeader,
} from '../../../src/log/record/index.ts';
import { BOMBS, FRAUDS, lz4Frame, xerial, zstdFrame } from './bombs.ts';

const open = (batch: Buffer): Buffer => inflateRecords(batch, readBatchHeader(batch));
const code = (batch: Buffer): string => {
  try {
    return `${open(batch).length} bytes`;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a batch that is a bomb is refused for its size', () => {
  for (const [name, bomb] of Object.entries(BOMBS))
    it(name, () => {
      const batch = bomb();
      expect(batch.length).toBeLessThan(1.1 * 1024 * 1024);
      expect(code(batch)).toBe('INVALID_RECORD');
    });
});

describe('a batch that costs far more than it holds, or lies, is refused', () => {
  for (const [name, fraud] of Object.entries(FRAUDS))
    it(name, () => expect(code(fraud())).toBe('CORRUPT_MESSAGE'));
});

describe('what may come out', () => {
  const text = Buffer.from('the quick brown fox '.repeat(5000));
  const pieces = [text.subarray(0, 70_000), text.subarray(70_000, 70_001), text.subarray(70_001)];

  it('is the limit, to the byte', () => {
    const limit = inflatedBytesMaxOf(BATCH_HEADER_BYTES + 40);
    expect(limit).toBe(96 * 128 * 1024);
    const runs = (count: number) => zstdFrame(count, Buffer.from([0x02, 0x00, 0x10, 0x61]));
    expect(() => inflate('zstd', runs(96), limit)).toThrow(/more than the limit of 12582912/);
    expect(inflate('zstd', runs(96), limit + 1)).toHaveLength(limit + 1);
    expect(() => inflate('gzip', gzipSync(text), text.length - 1)).toThrow(/limit/);
    expect(inflate('gzip', gzipSync(text), text.length)).toEqual(text);
  });

  it('may be in several members, blocks or frames', () => {
    const gzip = Buffer.concat(pieces.map((piece) => gzipSync(piece)));
    expect(inflate('gzip', gzip, text.length)).toEqual(text);
    const zstd = Buffer.concat(pieces.map((piece) => zstdCompressSync(piece)));
    expect(inflate('zstd', zstd, text.length)).toEqual(text);
    expect(() => inflate('zstd', zstd, text.length - 1)).toThrow(/limit/);
    const snappy = xerial(pieces.map((piece) => compressSync(piece)));
    expect(inflate('snappy', snappy, text.length)).toEqual(text);
  });

  it('may be in a thousand tiny blocks', () => {
    const byte = compressSync(Buffer.from('a'));
    expect(inflate('snappy', xerial(Array(1000).fill(byte)), 1000)).toHaveLength(1000);
    const stored = Buffer.from('0100008061', 'hex');
    const frame = lz4Frame(0x40, Buffer.concat(Array(1000).fill(stored)));
    expect(inflate('lz4', frame, 1000)).toEqual(Buffer.alloc(1000, 'a'));
  });

  it('of linked lz4 blocks may refer 64 KiB back, across many of them', () => {
    const parts: Buffer[] = [];
    let expected = Buffer.alloc(0);
    for (let i = 0; i < 60; i++) {
      const stored = Buffer.from(Array.from({ length: 4999 + i }, (_, at) => (at * 31 + i * 7) % 251));
      const size = Buffer.alloc(4);
      size.writeUInt32LE(0x80000000 + stored.length);
      expected = Buffer.concat([expected, stored]);
      const back = Math.min(65_535, expected.length);
      // A match of 4 bytes from there, then five literals.
      const match = Buffer.from('0900000000ffff507677787979', 'hex');
      match.writeUInt16LE(back, 5);
      expected = Buffer.concat([
        expected,
        expected.subarray(expected.length - back).subarray(0, 4),
        Buffer.from('vwxyy'),
      ]);
      parts.push(size, stored, match);
    }
    expect(inflate('lz4', lz4Frame(0x40, Buffer.concat(parts)), 1_000_000)).toEqual(expected);
  });
});
