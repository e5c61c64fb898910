import { describe, expect, it } from 'vitest';
import { parseOffsetsFile, parsePartition } from '../../src/cli/commands/topics-delete-records.ts';

describe('records to delete', () => {
  it('take the offset of their partition before the one of all', () => {
    expect(parsePartition('t', '3:100', '7')).toEqual({ topic: 't', partition: 3, before: 100 });
    expect(parsePartition('t', '3', '7')).toEqual({ topic: 't', partition: 3, before: 7 });
    expect(parsePartition('t', '3:end')).toEqual({ topic: 't', partition: 3, before: 'end' });
    expect(parsePartition('t', '3', '-1')).toEqual({ topic: 't', partition: 3, before: 'end' });
  });

  it('without an offset, or with one that is none, are refused in words', () => {
    expect(() => parsePartition('t', '3')).toThrow('add --before-offset');
    expect(() => parsePartition('t', 'x:3')).toThrow('not "x:3"');
    for (const offset of ['-2', '1.5', 'all', '9007199254740993'])
      expect(() => parsePartition('t', `3:${offset}`)).toThrow('whole number or "end"');
  });

  it("come from a file in the form of Kafka's tool", () => {
    const text =
      '{"partitions":[{"topic":"t","partition":1,"offset":5},{"topic":"u","partition":0,"offset":-1}],"version":1}';
    expect(parseOffsetsFile(text, 'f')).toEqual([
      { topic: 't', partition: 1, before: 5 },
      { topic: 'u', partition: 0, before: 'end' },
    ]);
  });

  it('of a file that is something else are refused with what is expected', () => {
    const wrong = [
      '',
      '[]',
      '{}',
      '{"partitions":[]}',
      '{"partitions":[{"topic":"t"}]}',
      '{"partitions":[3]}',
    ];
    for (const text of [...wrong, '{"partitions":[{"topic":"t","partition":0,"offset":1}],"version":2}'])
      expect(() => parseOffsetsFile(text, 'f')).toThrow('expected {"partitions"');
  });
});
