import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeValue, isCorrupted, readValue } from '../../../src/testing/checkers/index.ts';

it('a payload gives back its name, at any size and in its context', () => {
  const names = fc.string({ minLength: 1 }).filter((id) => !id.includes('|') && !isCorrupted(id));
  fc.assert(
    fc.property(names, fc.nat(300), fc.string(), (id, sizeBytes, context) => {
      const payload = encodeValue(id, sizeBytes, context);
      expect(payload.length).toBe(Math.max(sizeBytes, Buffer.byteLength(id) + 10));
      expect(readValue(payload, context)).toBe(id);
    }),
  );
});

it('a payload with any bit turned, or cut anywhere, is corrupted', () => {
  const payload = encodeValue('p.17', 60, 'key');
  for (let bit = 0; bit < payload.length * 8; bit++) {
    const damaged = Buffer.from(payload);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(isCorrupted(readValue(damaged, 'key')), `bit ${bit}`).toBe(true);
  }
  for (let end = 0; end < payload.length; end++)
    expect(isCorrupted(readValue(payload.subarray(0, end), 'key')), `cut at ${end}`).toBe(true);
});

it('a payload in another context is corrupted: under another key, say', () => {
  expect(isCorrupted(readValue(encodeValue('a', 20, 'key 1'), 'key 2'))).toBe(true);
});

it.each([null, undefined])('no payload (%s) is a corrupted one', (payload) => {
  expect(isCorrupted(readValue(payload))).toBe(true);
});

it.each(['', 'a|b', 'corrupted:x'])('a value cannot be named "%s"', (id) => {
  expect(() => encodeValue(id)).toThrow('cannot be the name');
});
