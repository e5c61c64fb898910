import { describe, expect, it } from 'vitest';
import { parseTime } from '../../src/cli/commands/topics-offsets.ts';

describe('the time of topics offsets', () => {
  it('is a word, the number that Kafka has for it, milliseconds or a date', () => {
    expect(['latest', '-1', 'earliest', '-2', 'max-timestamp', '-3'].map(parseTime)).toEqual([
      'latest',
      'latest',
      'earliest',
      'earliest',
      'max-timestamp',
      'max-timestamp',
    ]);
    expect(parseTime('0')).toEqual({ timestampMs: 0 });
    expect(parseTime('1700000000000')).toEqual({ timestampMs: 1_700_000_000_000 });
    expect(parseTime('2023-11-14T22:13:20Z')).toEqual({ timestampMs: 1_700_000_000_000 });
  });

  it('that is something else is refused in words', () => {
    for (const text of ['', 'now', '-4', '1.5', '2023-99-99', '9007199254740993'])
      expect(() => parseTime(text)).toThrow(`not "${text}"`);
  });
});
