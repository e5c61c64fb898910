import fc from 'fast-check';
import { compressSync, uncompressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { inflateElements } from '../../../src/log/record/snappy-elements.ts';

/** What comes out of a block that begins with a size of one or two bytes; undefined: it is refused. */
function inflated(block: Uint8Array): Buffer | undefined {
  const [first = 0, second = 0] = block;
  const [size, at] = first < 0x80 ? [first, 1] : [(first & 0x7f) + second * 128, 2];
  // Within a larger piece, of which nothing else may change.
  const piece = Buffer.alloc(size + 20, 0xee);
  const isWhole = inflateElements(block, at, piece, { start: 10, end: 10 + size });
  expect(piece.subarray(0, 10)).toEqual(Buffer.alloc(10, 0xee));
  expect(piece.subarray(10 + size)).toEqual(Buffer.alloc(10, 0xee));
  return isWhole ? piece.subarray(10, 10 + size) : undefined;
}

function byLibrary(block: Uint8Array): Buffer | undefined {
  try {
    return uncompressSync(Buffer.from(block), { asBuffer: true }) as Buffer;
  } catch {
    return undefined;
  }
}

/** Words that come again, so that there is something to copy. */
const texts = fc
  .array(fc.oneof(fc.constantFrom('aaaaaaaa', 'the quick ', 'brown fox '), fc.string({ maxLength: 100 })), {
    maxLength: 100,
  })
  .map((words) => Buffer.from(words.join('')).subarray(0, 16_000));

describe('a snappy block', () => {
  it('inflates to what was compressed', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(inflated(compressSync(text))).toEqual(text);
      }),
    );
  });

  it('of any bytes is read or refused as the library does', () => {
    let [read, refused] = [0, 0];
    const noise = fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(texts, noise, (text, changes) => {
        const block = compressSync(text);
        const sizeBytes = text.length < 128 ? 1 : 2;
        for (const { at, byte } of changes)
          if (block.length > sizeBytes) block[sizeBytes + (at % (block.length - sizeBytes))] = byte;
        const expected = byLibrary(block);
        if (expected === undefined) refused++;
        else read++;
        expect(inflated(block)).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
    expect(Math.min(read, refused)).toBeGreaterThan(50);
  });

  it.each([
    ['a copy of what is being copied', '0a0061' + '1501', 'aaaaaaaaaa'],
    ['a copy with an offset of 16 bits', '080c61626364' + '0e0400', 'abcdabcd'],
    ['a copy with an offset of 32 bits', '080c61626364' + '0f04000000', 'abcdabcd'],
    ['a literal whose length has a byte of its own', '05f00461626364' + '65', 'abcde'],
    ['a literal whose length has four', '05fc0400000061626364' + '65', 'abcde'],
    ['a literal that is longer than the block', '05f00561626364' + '65', undefined],
    ['a copy from before the block', '080c61626364' + '0e0500', undefined],
    ['a copy from nowhere', '080c61626364' + '0e0000', undefined],
    ['more than it says', '070c61626364' + '0e0400', undefined],
    ['less than it says', '090c61626364' + '0e0400', undefined],
    ['half of an offset', '080c61626364' + '0e04', undefined],
  ])('may not read or write beside its own: %s', (_, hex, text) => {
    const block = Buffer.from(hex, 'hex');
    expect(inflated(block)?.toString()).toBe(text);
    expect(byLibrary(block)?.toString()).toBe(text);
  });
});
