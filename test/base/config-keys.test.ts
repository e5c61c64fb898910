import { describe, expect, it } from 'vitest';
import {
  type ConfigKey,
  configValueProblem,
  nearestKey,
  SERVER_CONFIG_KEYS,
  splitList,
  TOPIC_CONFIG_KEYS,
} from '../../src/base/index.ts';

const ALL = { ...SERVER_CONFIG_KEYS, ...TOPIC_CONFIG_KEYS };

const problem = (key: string, value: string): string | undefined => {
  const known = ALL[key];
  if (known === undefined) throw new Error(`no key ${key}`);
  return configValueProblem(known, value);
};

describe('the table of keys', () => {
  it('holds defaults that are allowed', () => {
    for (const [name, key] of Object.entries(ALL))
      if (key.default !== undefined && key.default !== '')
        expect(configValueProblem(key, key.default), name).toBeUndefined();
  });

  it('names keys as Kafka does, and says something about each', () => {
    for (const [name, key] of Object.entries(ALL)) {
      expect(name).toMatch(/^[a-z]+(\.[a-z]+)*$/);
      expect(key.text, name).not.toBe('');
      expect(key.required === true && key.default !== undefined, name).toBe(false);
    }
  });

  it('bounds every integer', () => {
    for (const [name, key] of Object.entries(ALL)) {
      if (key.type !== 'integer') continue;
      expect(key.min, name).toBeDefined();
      expect(key.min! <= key.max!, name).toBe(true);
    }
  });
});

describe('a value', () => {
  it.each([
    ['node.id', '0'],
    ['node.id', '2147483647'],
    ['retention.ms', '-1'],
    ['write.caching', 'true'],
    ['process.roles', 'broker,controller'],
    ['process.roles', ' broker , controller '],
    ['compression.type', 'zstd'],
    ['broker.rack', 'anything at all'],
  ])('%s=%s is fine', (key, value) => {
    expect(problem(key, value)).toBeUndefined();
  });

  it.each([
    ['node.id', '-1', 'must be from 0 to 2147483647, not -1'],
    ['node.id', '2147483648', 'must be from 0 to 2147483647, not 2147483648'],
    ['node.id', '1.5', 'must be a whole number, not "1.5"'],
    ['node.id', '1e3', 'must be a whole number, not "1e3"'],
    ['node.id', '', 'must be a whole number, not ""'],
    ['node.id', ' 1', 'must be a whole number, not " 1"'],
    ['node.id', '0x10', 'must be a whole number, not "0x10"'],
    ['retention.bytes', '9007199254740993', 'must be a whole number, not "9007199254740993"'],
    ['write.caching', 'yes', 'must be true or false, not "yes"'],
    [
      'compression.type',
      'brotli',
      'must be one of producer, uncompressed, gzip, snappy, lz4, zstd, not "brotli"',
    ],
    ['process.roles', 'broker,shred', 'may hold broker, controller, not "shred"'],
  ])('%s=%s is refused with what is allowed', (key, value, why) => {
    expect(problem(key, value)).toBe(why);
  });

  it('of a list without a fixed set of words may hold any', () => {
    const key: ConfigKey = { type: 'list', text: 'x' };
    expect(configValueProblem(key, 'a,b')).toBeUndefined();
  });
});

describe('splitList', () => {
  it('trims, and drops what is empty', () => {
    expect(splitList(' a ,b,, c,')).toEqual(['a', 'b', 'c']);
    expect(splitList('')).toEqual([]);
  });
});

describe('nearestKey', () => {
  it.each([
    ['node.ids', 'node.id'],
    ['min.insync.replica', 'min.insync.replicas'],
    ['log.dir', 'log.dirs'],
    ['proces.roles', 'process.roles'],
    ['defualt.replication.factor', 'default.replication.factor'],
  ])('%s probably means %s', (typed, meant) => {
    expect(nearestKey(typed, Object.keys(ALL))).toBe(meant);
  });

  it('guesses nothing when nothing is near', () => {
    expect(nearestKey('zookeeper.connect', Object.keys(ALL))).toBeUndefined();
    expect(nearestKey('x', [])).toBeUndefined();
  });
});
