import { describe, expect, it } from 'vitest';
import {
  ApiError,
  AssertionError,
  assert,
  assertNever,
  CorruptionError,
  crc32c,
  EnvironmentError,
  ERRORS,
  type ErrorName,
  errorNameOf,
  errorNumber,
} from '../../src/base/index.ts';

describe('the table of errors', () => {
  it('maps names to numbers and back', () => {
    for (const name of Object.keys(ERRORS) as ErrorName[]) expect(errorNameOf(errorNumber(name))).toBe(name);
    expect(errorNumber('NONE')).toBe(0);
    expect(errorNameOf(0)).toBe('NONE');
  });

  it("has Kafka's numbers", () => {
    expect(errorNumber('NOT_LEADER_OR_FOLLOWER')).toBe(6);
    expect(errorNumber('NOT_ENOUGH_REPLICAS')).toBe(19);
    expect(errorNumber('OUT_OF_ORDER_SEQUENCE_NUMBER')).toBe(45);
    expect(errorNumber('FENCED_LEADER_EPOCH')).toBe(74);
    expect(errorNumber('UNKNOWN_SERVER_ERROR')).toBe(-1);
  });

  it('reads a number it does not know as an unknown server error', () => {
    expect(errorNameOf(9999)).toBe('UNKNOWN_SERVER_ERROR');
  });

  it('says of every error that may have had an effect that it is indefinite', () => {
    const indefinite = (Object.keys(ERRORS) as ErrorName[]).filter((name) => !new ApiError(name).definite);
    expect(indefinite.sort()).toEqual([
      'KAFKA_STORAGE_ERROR',
      'NETWORK_EXCEPTION',
      'NOT_CONTROLLER',
      'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
      'REQUEST_TIMED_OUT',
      'UNKNOWN_SERVER_ERROR',
    ]);
  });
});

describe('errors', () => {
  it('a refusal has the text of the table unless it knows more', () => {
    expect(new ApiError('NOT_CONTROLLER').message).toBe('this node is not the active controller');
    const knowing = new ApiError('NOT_CONTROLLER', 'ask node 3');
    expect(knowing).toMatchObject({ code: 'NOT_CONTROLLER', message: 'ask node 3', retriable: true });
  });

  it('an error of the environment keeps its cause and what it is about', () => {
    const cause = new Error('ENOSPC');
    const error = new EnvironmentError('disk-full', '/data', 'cannot write', cause);
    expect(error).toMatchObject({ reason: 'disk-full', subject: '/data', cause });
    expect('cause' in new EnvironmentError('other', '', '')).toBe(false);
  });

  it('damage is told with file, place, and both sides', () => {
    expect(new CorruptionError('/data/0.log', 61, 'magic 2', 'magic 7').message).toBe(
      '/data/0.log is damaged at byte 61: expected magic 2, found magic 7',
    );
  });

  it('an assertion shows the numbers it compared', () => {
    expect(() => assert(1 < 2, 'fine')).not.toThrow();
    expect(() => assert(false, 'ends meet', { a: 1, b: 2 })).toThrow('ends meet: {"a":1,"b":2}');
    expect(() => assert(0, 'plain')).toThrow(AssertionError);
    expect(() => assertNever('x' as never)).toThrow('unexpected variant: "x"');
  });
});

describe('crc32c', () => {
  it('is the Castagnoli polynomial', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(0))).toBe(0);
  });

  it('can be continued, also over views of a larger buffer', () => {
    const bytes = Buffer.from('xx123456789yy');
    const first = crc32c(bytes.subarray(2, 6));
    expect(crc32c(bytes.subarray(6, 11), first)).toBe(0xe3069283);
  });
});
