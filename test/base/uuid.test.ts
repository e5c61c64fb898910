import { expect, it } from 'vitest';
import {
  isUuid,
  randomUuid,
  SeededRandom,
  uuidFromBytes,
  uuidToBytes,
  ZERO_UUID,
} from '../../src/base/index.ts';

it('random ids are 22 characters, version 4, all different, and awkward nowhere', () => {
  const random = new SeededRandom(1);
  const seen = new Set<string>();
  for (let i = 0; i < 2000; i++) {
    const uuid = randomUuid(random);
    const bytes = uuidToBytes(uuid);
    expect(isUuid(uuid)).toBe(true);
    expect(bytes[6]! >> 4).toBe(4);
    expect(bytes[8]! >> 6).toBe(2);
    expect(uuid.startsWith('-')).toBe(false);
    seen.add(uuid);
  }
  expect(seen.size).toBe(2000);
});

it('sixteen bytes and their text are two forms of one id', () => {
  const random = new SeededRandom(2);
  for (let i = 0; i < 500; i++) {
    const bytes = random.bytes(16);
    const uuid = uuidFromBytes(bytes);
    expect(isUuid(uuid)).toBe(true);
    expect(new Uint8Array(uuidToBytes(uuid))).toEqual(bytes);
  }
  expect(uuidFromBytes(new Uint8Array(16))).toBe(ZERO_UUID);
});

it("Kafka's own id is read as Kafka reads it", () => {
  const uuid = 'MkU3OEVBNTcwNTJENDM2Qg';
  expect(isUuid(uuid)).toBe(true);
  expect(uuidToBytes(uuid).toString('latin1')).toBe('2E78EA57052D436B');
});

it.each([
  '',
  'short',
  'MkU3OEVBNTcwNTJENDM2Qg==',
  'MkU3OEVBNTcwNTJENDM2Qh',
  'MkU3OEVBNTcwNTJENDM2 g',
  'MkU3OEVBNTcwNTJENDM2+g',
  '../OEVBNTcwNTJENDM2QgAA',
])('%j is not an id', (text) => {
  expect(isUuid(text)).toBe(false);
});
