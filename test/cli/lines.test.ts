import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readLines } from '../../src/cli/lines.ts';

async function* chunksOf(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let start = 0;
  for (const end of ends) {
    yield bytes.subarray(start, end);
    start = end;
  }
}

async function linesOf(bytes: Buffer, cuts: readonly number[] = []): Promise<string[]> {
  const lines: string[] = [];
  for await (const some of readLines(chunksOf(bytes, cuts)))
    lines.push(...some.map((line) => line.toString('latin1')));
  return lines;
}

it('a last line without its line feed counts, an empty rest does not', async () => {
  expect(await linesOf(Buffer.from('a\n\nb\r\nc'))).toEqual(['a', '', 'b\r', 'c']);
  expect(await linesOf(Buffer.from('a\n'))).toEqual(['a']);
  expect(await linesOf(Buffer.from('\n'))).toEqual(['']);
  expect(await linesOf(Buffer.alloc(0))).toEqual([]);
});

it('where chunks are cut changes nothing', async () => {
  const byte = fc.constantFrom(0x0a, 0x0d, 0x61, 0x00, 0xff);
  const input = fc.array(byte, { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(input, fc.array(fc.nat(), { maxLength: 6 }), async (numbers, cuts) => {
      const bytes = Buffer.from(numbers);
      const expected = bytes.toString('latin1').split('\n');
      if (expected.at(-1) === '') expected.pop();
      expect(await linesOf(bytes, cuts)).toEqual(expected);
    }),
  );
});
