import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../src/base/index.ts';
import { many, one } from '../../../src/rpc/protobuf/field.ts';
import { SERVICES } from '../../../src/rpc/protobuf/index.ts';
import { message } from '../../../src/rpc/protobuf/message.ts';
import { int32, int64, text } from '../../../src/rpc/protobuf/type.ts';
import { produceRequest as example } from '../services.ts';

const { request: produceRequest } = SERVICES.broker.methods.produce;
const { request: fetchRequest } = SERVICES.broker.methods.fetch;
const { request: voteRequest } = SERVICES.quorum.methods.vote;
const { request: metadataRequest } = SERVICES.broker.methods.metadata;
const { request: createTopicsRequest } = SERVICES.admin.methods.createTopics;
const { request: registerBroker } = SERVICES.controller.methods.registerBroker;

const refusal = (code: string) => expect.objectContaining({ code });

describe('what a simple client leaves out', () => {
  it('of a produce request means acks all and the default timeout', () => {
    expect(produceRequest.decode(Buffer.alloc(0), 10)).toMatchObject({ acks: -1, timeoutMs: 30_000 });
  });

  it('of a fetch request means sizes below 4 MiB and no check of the epoch', () => {
    const bare = Buffer.from([0x3a, 3, 0x0a, 1, 0x74]); // partitions: [{ topic: "t" }]
    expect(fetchRequest.decode(bare, 10)).toMatchObject({
      maxBytes: 2 * 1024 * 1024,
      isolation: 'read_uncommitted',
      partitions: [
        { topic: 't', partition: 0, fetchOffset: 0, currentLeaderEpoch: -1, maxBytes: 1024 * 1024 },
      ],
    });
  });

  it('of a metadata request means all topics; no topics must be said', () => {
    expect(metadataRequest.decode(Buffer.alloc(0), 10)).toEqual({});
    expect(metadataRequest.decode(metadataRequest.encode({ topics: [] }), 10)).toEqual({ topics: [] });
    const both = Buffer.concat([
      metadataRequest.encode({ topics: ['a'] }),
      metadataRequest.encode({ topics: [] }),
    ]);
    expect(() => metadataRequest.decode(both, 10)).toThrow(refusal('INVALID_REQUEST'));
  });

  it('of a topic means the defaults of the cluster, while an explicit 0 stays 0', () => {
    const topic = { name: 't', partitions: 0, replicationFactor: 0, assignments: [], configs: {} };
    const request = { topics: [topic], validateOnly: false, timeoutMs: 1 };
    expect(createTopicsRequest.decode(createTopicsRequest.encode(request), 10)).toEqual(request);
    const bare = Buffer.from([0x0a, 3, 0x0a, 1, 0x74]);
    expect(createTopicsRequest.decode(bare, 10).topics[0]).toMatchObject({
      partitions: -1,
      replicationFactor: -1,
    });
  });

  it('of a registration means that the last stop was not clean', () => {
    expect(registerBroker.decode(Buffer.alloc(0), 10).previousBrokerEpoch).toBe(-1);
  });
});

describe('a message that breaks the rules is refused', () => {
  const integers = message<{ n: number; list: readonly number[] }>('Integers', {
    n: one(1, int64),
    list: many(2, int32),
  });

  it('when an integer is beyond 2^53 - 1, in either direction', () => {
    const of = (n: bigint): Buffer => {
      const bytes = [0x08];
      let rest = BigInt.asUintN(64, n);
      for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
      return Buffer.from([...bytes, Number(rest)]);
    };
    expect(integers.decode(of(2n ** 53n - 1n), 1).n).toBe(2 ** 53 - 1);
    expect(integers.decode(of(1n - 2n ** 53n), 1).n).toBe(1 - 2 ** 53);
    for (const n of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)])
      expect(() => integers.decode(of(n), 1)).toThrow(refusal('INVALID_REQUEST'));
    for (const n of [2 ** 53, 0.5, Number.NaN])
      expect(() => integers.encode({ n, list: [] })).toThrow(ApiError);
    expect(() => integers.encode({ n: 0, list: [2 ** 31] })).toThrow(refusal('INVALID_REQUEST'));
  });

  it('when a length reaches beyond what was received', () => {
    for (const bytes of [[0x12, 5, 1], [0x12, 0xff, 0xff, 0xff, 0xff, 0x0f], [0x12], [0x12, 1, 0x80]])
      expect(() => integers.decode(Buffer.from(bytes), 10)).toThrow(refusal('INVALID_REQUEST'));
  });

  it('when a length inside a nested message reaches beyond that message', () => {
    const nested = Buffer.from([0x2a, 3, 0x0a, 4, 0x61, 0x61, 0x61, 0x61, 0x61]);
    expect(() => produceRequest.decode(nested, 10)).toThrow(refusal('INVALID_REQUEST'));
  });

  it('when its lists have more elements than allowed, packed or not', () => {
    expect(integers.decode(Buffer.from([0x12, 3, 1, 2, 3]), 3).list).toEqual([1, 2, 3]);
    expect(integers.decode(Buffer.from([0x10, 1, 0x12, 2, 2, 3]), 3).list).toEqual([1, 2, 3]);
    expect(() => integers.decode(Buffer.from([0x12, 3, 1, 2, 3]), 2)).toThrow(refusal('INVALID_REQUEST'));
    expect(() => integers.decode(Buffer.from([0x10, 1, 0x10, 1, 0x10, 1]), 2)).toThrow(
      refusal('INVALID_REQUEST'),
    );
  });

  it('when a message inside that must come does not', () => {
    expect(() => voteRequest.decode(Buffer.alloc(0), 10)).toThrow(refusal('INVALID_REQUEST'));
  });

  it('when an enum has a value we do not know, except an error, which is then an unknown one', () => {
    expect(() => produceRequest.decode(Buffer.from([0x18, 9]), 10)).toThrow(refusal('INVALID_REQUEST'));
    const { reply } = SERVICES.quorum.methods.describeQuorum;
    expect(reply.decode(Buffer.from([0x08, 0xe8, 0x07]), 10).error).toBe('UNKNOWN_SERVER_ERROR');
  });

  it('and random bytes are decoded or refused, nothing else', () => {
    const request = produceRequest.encode(example(7, Buffer.alloc(100, 7)));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(request.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
        (edits) => {
          const bytes = Buffer.from(request);
          for (const [at, byte] of edits) bytes[at] = byte;
          try {
            produceRequest.decode(bytes, 100);
          } catch (error) {
            expect(error).toMatchObject({ code: 'INVALID_REQUEST' });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a message', () => {
  const old = message<{ name: string }>('Old', { name: one(1, text) });
  const grown = message<{ name: string; extra: string; count: number }>('Grown', {
    name: one(1, text),
    extra: one(2, text),
    count: one(3, int64),
  });

  it('keeps its meaning for a reader that does not know its newer fields', () => {
    expect(old.decode(grown.encode({ name: 'a', extra: 'b', count: -1 }), 1)).toEqual({ name: 'a' });
    const fixed = Buffer.from([0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4, 0x0a, 1, 0x61]);
    expect(old.decode(fixed, 1)).toEqual({ name: 'a' });
  });

  it('has bytes that are views of what was received', () => {
    const bytes = produceRequest.encode(example(1, Buffer.from('payload')));
    const batch = produceRequest.decode(bytes, 10).partitions[0]?.batch;
    expect(batch?.buffer).toBe(bytes.buffer);
    expect(Buffer.from(batch ?? []).toString()).toBe('payload');
  });
});
