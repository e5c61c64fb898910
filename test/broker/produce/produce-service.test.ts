import { describe, expect, it } from 'vitest';
import { BatchBuilder, filterBatch, readBatchHeader } from '../../../src/log/record/index.ts';
import { deltaFromEmpty } from '../../../src/metadata/index.ts';
import type { ProduceReply, ProduceRequest, Sink } from '../../../src/rpc/api/index.ts';
import { settle } from '../../../src/testing/twins/scheduler.ts';
import { broker, CALL, countOf, imageOf, produceRequest, testBrokers, topic } from '../fixture.ts';

const IMAGE = imageOf(broker(1), broker(2), broker(3, { fenced: true }), ...topic('t', 1, 2, 1, -1, 3));

function batch(value = 'v'): Uint8Array {
  const builder = new BatchBuilder({ compression: 'none' });
  builder.append({ value: Buffer.from(value), timestampMs: 1 });
  return builder.build();
}

function entry(partition: number, topicName = 't'): ProduceRequest['partitions'][number] {
  return { topic: topicName, partition, batch: batch() };
}

/** A client's end of a stream: what came back. */
class Replies implements Sink<ProduceReply> {
  readonly got: ProduceReply[] = [];
  ended: { error: Error | undefined } | undefined;
  /** False: the client does not read. */
  reads = true;
  resume: () => void = () => {};
  send(reply: ProduceReply): boolean {
    this.got.push(reply);
    return this.reads;
  }
  drained(): Promise<void> {
    return this.reads ? Promise.resolve() : new Promise((resolve) => (this.resume = resolve));
  }
  end(error?: Error): void {
    this.ended ??= { error };
  }
}

describe('produce', () => {
  it('appends where this broker leads, sends on where another does, and answers in order', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    const request = produceRequest({ partitions: [entry(0), entry(1), entry(2), entry(1)] });
    const { partitions } = await brokers.get(1).service.produce(request);
    expect(partitions.map(({ partition, error, baseOffset }) => [partition, error, baseOffset])).toEqual([
      [0, 'NONE', 0],
      [1, 'NONE', 0],
      [2, 'NONE', 0],
      [1, 'NONE', 1],
    ]);
    expect(brokers.get(1).replicas.appended).toEqual(['t-0@0', 't-2@0']);
    expect(brokers.get(2).replicas.appended).toEqual(['t-1@0', 't-1@1']);
  });

  it('says per partition why nobody can take it', async () => {
    const { service } = testBrokers(IMAGE, 1, 2).get(1);
    const partitions = [entry(3), entry(4), entry(9), entry(0, 'missing'), entry(0, '../x')];
    const reply = await service.produce(produceRequest({ partitions }));
    expect(reply.partitions.map(({ error }) => error)).toEqual([
      'LEADER_NOT_AVAILABLE',
      'LEADER_NOT_AVAILABLE',
      'UNKNOWN_TOPIC_OR_PARTITION',
      'UNKNOWN_TOPIC_OR_PARTITION',
      'INVALID_TOPIC_EXCEPTION',
    ]);
    expect(reply.partitions[3]?.errorMessage).toBe('there is no topic "missing"; create it first');
  });

  it('refuses acks other than 0, 1 and -1 for every partition, and appends nothing', async () => {
    const { service, replicas } = testBrokers(IMAGE, 1, 2).get(1);
    const plain = [{ topic: 't', records: [{ headers: [] }] }];
    const reply = await service.produce(produceRequest({ acks: 2 as 1, partitions: [entry(0)], plain }));
    expect(reply.partitions.map(({ error }) => error)).toEqual([
      'INVALID_REQUIRED_ACKS',
      'INVALID_REQUIRED_ACKS',
    ]);
    expect(replicas.appended).toEqual([]);
  });

  it('hops once: a forwarded request is answered here whatever the metadata says', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    await brokers.get(1).service.produce(produceRequest({ forwarded: true, partitions: [entry(1)] }));
    expect(brokers.get(1).replicas.appended).toEqual(['t-1@0']);
    expect(brokers.get(2).replicas.appended).toEqual([]);
  });

  it('hops once also when two brokers believe in each other', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    const other = imageOf(broker(1), broker(2), ...topic('t', 1, 1));
    brokers.get(2).cache.publish(deltaFromEmpty(other), other);
    await brokers.get(1).service.produce(produceRequest({ partitions: [entry(1)] }));
    expect(brokers.get(2).replicas.appended).toEqual(['t-1@0']);
  });

  it('leaves the outcome open when the road to the leader breaks', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    const { promise: never } = Promise.withResolvers<void>();
    brokers.get(2).replicas.hold = never;
    const reply = brokers.get(1).service.produce(produceRequest({ partitions: [entry(0), entry(1)] }));
    await settle();
    brokers.cut();
    expect((await reply).partitions.map(({ error }) => error)).toEqual(['NONE', 'NETWORK_EXCEPTION']);
    expect(brokers.get(2).replicas.appended).toEqual(['t-1@0']);
  });

  it('goes on after a break over a new stream', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    const request = produceRequest({ partitions: [entry(1)] });
    brokers.cut();
    const lost = await brokers.get(1).service.produce(request);
    expect(lost.partitions[0]?.error).toBe('NETWORK_EXCEPTION');
    brokers.mend();
    const found = await brokers.get(1).service.produce(request);
    expect(found.partitions[0]?.error).toBe('NONE');
  });

  it('waits for another broker no longer than the request allows', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    const { promise: never } = Promise.withResolvers<void>();
    brokers.get(2).replicas.hold = never;
    const reply = brokers.get(1).service.produce(produceRequest({ partitions: [entry(1)] }));
    const { partitions } = await brokers.environment.scheduler.finish(reply, 10_000);
    expect(partitions[0]?.error).toBe('REQUEST_TIMED_OUT');
  });

  it('sends plain records of any broker to the leader of their key', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    const key = Buffer.from('21'); // murmur2("21") = -973932308, Kafka's own test value
    const plain = [{ topic: 't', records: [{ key, value: Buffer.from('a'), headers: [] }] }];
    const reply = await brokers.get(1).service.produce(produceRequest({ plain }));
    const partition = (-973_932_308 & 0x7fffffff) % 5;
    expect(reply.partitions.map((one) => [one.partition, one.error])).toEqual([[partition, 'NONE']]);
  });
});

describe('produce stream', () => {
  it('appends in the order of the requests, on this and on the other broker', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    const replies = new Replies();
    const requests = brokers.get(1).service.produceStream(replies, CALL);
    for (let i = 0; i < 50; i++)
      requests.send(produceRequest({ correlationId: i, partitions: [entry(0), entry(1)] }));
    requests.end();
    await settle();
    expect(replies.got.map(({ correlationId }) => correlationId)).toEqual([...Array(50).keys()]);
    for (const [at, { partitions }] of replies.got.entries())
      expect(partitions.map(({ baseOffset }) => baseOffset)).toEqual([at, at]);
    expect(replies.ended).toEqual({ error: undefined });
  });

  it('says stop when too much is in flight, and goes on when it has been answered', async () => {
    const { service, replicas } = testBrokers(IMAGE, 1, 2).get(1);
    const { promise: hold, resolve: release } = Promise.withResolvers<void>();
    replicas.hold = hold;
    const requests = service.produceStream(new Replies(), CALL);
    let sent = 1;
    while (requests.send(produceRequest({ partitions: [entry(0)] }))) sent += 1;
    expect(sent).toBe(256);
    let drained = false;
    const waiting = requests.drained().then(() => {
      drained = true;
    });
    await settle();
    expect(drained).toBe(false);
    release();
    await waiting;
    expect(requests.send(produceRequest({ partitions: [entry(0)] }))).toBe(true);
  });

  it('counts a request as in flight until its reply has left', async () => {
    const { service } = testBrokers(IMAGE, 1, 2).get(1);
    const replies = new Replies();
    replies.reads = false;
    const requests = service.produceStream(replies, CALL);
    for (let i = 0; i < 256; i++) requests.send(produceRequest({ partitions: [entry(0)] }));
    await settle();
    expect(requests.send(produceRequest({ partitions: [entry(0)] }))).toBe(false);
  });

  it('takes what other brokers send on also while it is full of what waits for them', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    const { service } = brokers.get(1);
    brokers.get(2).replicas.hold = new Promise(() => {});
    const large = { topic: 't', partition: 1, batch: batch('x'.repeat(50_000)) };
    const requests = service.produceStream(new Replies(), CALL);
    while (requests.send(produceRequest({ partitions: [large] })));
    const forwarded = produceRequest({ forwarded: true, partitions: [entry(0)] });
    const replies = new Replies();
    expect(service.produceStream(replies, CALL).send(forwarded)).toBe(true);
    await settle();
    expect(replies.got[0]?.partitions[0]?.error).toBe('NONE');
    await expect(service.produce(produceRequest({ partitions: [entry(0)] }))).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
    });
  });

  it('ends the stream of a client that sends on regardless', async () => {
    const { service, replicas } = testBrokers(IMAGE, 1, 2).get(1);
    replicas.hold = new Promise(() => {});
    const replies = new Replies();
    const requests = service.produceStream(replies, CALL);
    for (let i = 0; i < 600; i++) requests.send(produceRequest({ partitions: [entry(0)] }));
    expect(replies.ended?.error).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(replicas.appended.length).toBeLessThan(600);
  });

  it('gives acks=0 no reply, and an error by the end of the stream', async () => {
    const { service } = testBrokers(IMAGE, 1, 2).get(1);
    const replies = new Replies();
    const requests = service.produceStream(replies, CALL);
    requests.send(produceRequest({ acks: 0, partitions: [entry(0)] }));
    await settle();
    expect([replies.got, replies.ended]).toEqual([[], undefined]);
    requests.send(produceRequest({ acks: 0, partitions: [entry(0, 'missing')] }));
    await settle();
    expect(replies.got).toEqual([]);
    expect(replies.ended?.error).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
  });

  it('hears of acks=0 requests that other brokers appended', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    const replies = new Replies();
    const requests = brokers.get(1).service.produceStream(replies, CALL);
    requests.send(produceRequest({ acks: 0, partitions: [entry(1)] }));
    await brokers.environment.scheduler.run(60_000);
    expect(brokers.get(2).replicas.appended).toEqual(['t-1@0']);
    expect(replies.ended).toBeUndefined();
  });

  it('tells an acks=0 producer also of what failed at another broker', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    const replies = new Replies();
    brokers.cut();
    const requests = brokers.get(1).service.produceStream(replies, CALL);
    requests.send(produceRequest({ acks: 0, partitions: [entry(1)] }));
    await settle();
    expect(replies.ended?.error).toMatchObject({ code: 'NETWORK_EXCEPTION' });
  });
});

describe('fetch', () => {
  const fetch = {
    correlationId: 5,
    clientId: 'c',
    minBytes: 1,
    maxBytes: 100_000,
    forwarded: false,
  } as const;
  const part = (partition: number, fetchOffset = 0) =>
    ({ topic: 't', partition, fetchOffset, currentLeaderEpoch: -1, maxBytes: 1_000 }) as const;
  const isolation = 'read_uncommitted';

  it('reads from here and from the leader elsewhere, in the order asked', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    await brokers.get(1).service.produce(produceRequest({ partitions: [entry(0), entry(1), entry(1)] }));
    const partitions = [part(1), part(0), part(3)];
    const request = { ...fetch, maxWaitMs: 0, isolation, partitions, plain: false } as const;
    const reply = await brokers.get(1).service.fetch(request, CALL);
    expect(reply.partitions.map(({ partition, error }) => [partition, error])).toEqual([
      [1, 'NONE'],
      [0, 'NONE'],
      [3, 'LEADER_NOT_AVAILABLE'],
    ]);
    expect(reply.partitions.map(({ batches }) => countOf(batches))).toEqual([2, 1, 0]);
  });

  it('opens batches for a plain client, and skips what lies below the asked offset', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    const records = ['a', 'b', 'c'].map((value) => ({ value: Buffer.from(value), headers: [] }));
    await brokers.get(1).service.produce(produceRequest({ plain: [{ topic: 't', partition: 1, records }] }));
    const request = { ...fetch, maxWaitMs: 0, isolation, partitions: [part(1, 1)], plain: true } as const;
    const { partitions } = await brokers.get(1).service.fetch(request, CALL);
    const values = partitions[0]?.records.map(({ offset, value }) => `${offset}:${Buffer.from(value ?? '')}`);
    expect(values).toEqual(['1:b', '2:c']);
    expect(partitions[0]?.batches).toEqual([]);
  });

  it('gives a plain client as much as it takes of a batch, and the next request goes on inside of it', async () => {
    const { service } = testBrokers(IMAGE, 1, 2).get(1);
    const records = ['a', 'b', 'c'].map((value) => ({ value: Buffer.from(value), headers: [] }));
    await service.produce(produceRequest({ plain: [{ topic: 't', partition: 1, records }] }));
    const offsets: unknown[] = [];
    for (const fetchOffset of [0, 1, 2]) {
      const partitions = [part(1, fetchOffset), part(1, fetchOffset)];
      const request = { ...fetch, maxWaitMs: 0, maxBytes: 1, isolation, partitions, plain: true } as const;
      const reply = await service.fetch(request, CALL);
      offsets.push(reply.partitions.map((answer) => answer.records.map(({ offset }) => offset)));
      expect(reply.partitions.map(({ error }) => error)).toEqual(['NONE', 'NONE']);
    }
    expect(offsets).toEqual([0, 1, 2].map((offset) => [[offset], []]));
  });

  it('reads on for a plain client past batches without records, which it could not see nor pass', async () => {
    const brokers = testBrokers(IMAGE, 1, 2);
    const { service, replicas } = brokers.get(2);
    await service.produce(produceRequest({ partitions: [entry(1), entry(1)] }));
    const log = replicas.log('t-1');
    for (const [i, full] of log.entries()) {
      const filter = { retains: () => false, deleteHorizonMs: undefined, keepsEmpty: true };
      log[i] = filterBatch(full, readBatchHeader(full), filter).bytes ?? full;
    }
    const request = { ...fetch, maxWaitMs: 500, isolation, partitions: [part(1)], plain: true } as const;
    const reply = brokers.get(1).service.fetch(request, CALL);
    await settle();
    await service.produce(produceRequest({ partitions: [entry(1)] }));
    expect((await reply).partitions[0]?.records.map(({ offset }) => offset)).toEqual([2]);
  });

  it.each([
    [0, 1],
    [1, 2],
  ])(
    'that waits at several brokers is answered by the first that has something: partition %i',
    async (at, id) => {
      const brokers = testBrokers(IMAGE, 1, 2);
      const partitions = [part(0), part(1)];
      const request = { ...fetch, maxWaitMs: 500, isolation, partitions, plain: false } as const;
      const reply = brokers.get(1).service.fetch(request, CALL);
      await settle();
      await brokers.get(id).service.produce(produceRequest({ partitions: [entry(at)] }));
      const got = (await reply).partitions;
      expect(got.map(({ error }) => error)).toEqual(['NONE', 'NONE']);
      expect(got.map(({ batches }) => batches.length)).toEqual(at === 0 ? [1, 0] : [0, 1]);
      expect(got[1 - at]?.highWatermark).toBe(0);
    },
  );
});
