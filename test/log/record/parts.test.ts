import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { inflate } from '../../../src/log/record/compression.ts';
import { murmur2, partitionForKey } from '../../../src/log/record/index.ts';
import {
  VarintReader,
  varintBytes,
  varlongBytes,
  writeVarint,
  writeVarlong,
} from '../../../src/log/record/varint.ts';

describe('varints', () => {
  it('a varint reads back, takes as many bytes as announced, and at most 5', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const bytes = new Uint8Array(5);
        const end = writeVarint(bytes, 0, value);
        expect(end).toBe(varintBytes(value));
        const reader = new VarintReader(bytes, 0, end);
        expect(reader.varint()).toBe(value);
        expect(reader).toMatchObject({ position: end, failure: undefined });
      }),
    );
  });

  it('a varlong reads back and takes as many bytes as announced, up to 2^53', () => {
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeInteger(), fc.integer()), (value) => {
        const bytes = new Uint8Array(10);
        const end = writeVarlong(bytes, 0, value);
        expect(end).toBe(varlongBytes(value));
        const reader = new VarintReader(bytes, 0, end);
        expect(reader.varlong()).toBe(value);
        expect(reader.failure).toBeUndefined();
      }),
    );
  });

  it('the bytes are those of zigzag base-128', () => {
    const encoded = (value: number): string => {
      const bytes = Buffer.alloc(10);
      return bytes.subarray(0, writeVarlong(bytes, 0, value)).toString('hex');
    };
    expect([0, -1, 1, -64, 64, 300].map(encoded)).toEqual(['00', '01', '02', '7f', '8001', 'd804']);
    expect(encoded(2 ** 31)).toBe('8080808010');
    expect(encoded(-(2 ** 31) - 1)).toBe('8180808010');
  });

  it('an endless, cut or too wide varint fails instead of wrapping', () => {
    const failure = (bytes: number[], read: 'varint' | 'varlong'): string | undefined => {
      const reader = new VarintReader(Uint8Array.from(bytes), 0, bytes.length);
      expect(reader[read]()).toBe(0);
      return reader.failure;
    };
    expect(failure([0x80], 'varint')).toMatch(/inside/);
    expect(failure([0x80, 0x80, 0x80, 0x80, 0x10], 'varint')).toMatch(/32 bits/);
    expect(failure(Array(11).fill(0x80), 'varlong')).toMatch(/64 bits/);
    expect(failure([...Array(9).fill(0xff), 0x01], 'varlong')).toMatch(/2\^53/);
    expect(failure([], 'varlong')).toMatch(/inside/);
  });
});

describe('murmur2', () => {
  it('equals the function of the Java client', () => {
    const known: readonly (readonly [string, number])[] = [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
      ['abc', 479470107],
      ['', 275646681],
    ];
    for (const [text, hash] of known) expect(murmur2(Buffer.from(text)), text).toBe(hash);
    expect(murmur2(Uint8Array.of(0x80, 0xff, 0x00))).toBe(2014942385);
  });

  it('a negative hash loses its sign bit before the modulo', () => {
    expect(partitionForKey(Buffer.from('21'), 50)).toBe(40);
    expect(partitionForKey(Buffer.from('foobar'), 50)).toBe(16);
  });
});

describe('compressed streams of other writers', () => {
  /** By python-lz4: linked blocks of 64 KiB, block and content checksums, content size. */
  const linked = readFileSync(new URL('../../golden/record/lz4-linked.bin', import.meta.url));
  const text = Array.from({ length: 6000 }, (_, i) => `${i % 50} linked blocks refer back; `).join('');

  it('a raw snappy block is read as well as the framed stream', () => {
    const text = Buffer.from('raw block '.repeat(50));
    expect(inflate('snappy', compressSync(text), 1000)).toEqual(text);
  });

  it('linked lz4 blocks with checksums and a content size are read', () => {
    expect(inflate('lz4', linked, text.length).toString()).toBe(text);
    expect(() => inflate('lz4', linked, text.length - 1)).toThrow(/limit/);
  });

  it('an lz4 frame whose header fails its checksum is refused', () => {
    const damaged = Buffer.from(linked);
    damaged[5]! ^= 0x10;
    expect(() => inflate('lz4', damaged, 1e6)).toThrow(/header fails its checksum/);
  });
});
