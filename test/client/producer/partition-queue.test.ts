import { describe, expect, it } from 'vitest';
import { Delivery } from '../../../src/client/producer/delivery.ts';
import { advanceSequence, stampIdentity } from '../../../src/client/producer/identity.ts';
import {
  BATCH_BYTES_MAX,
  PartitionQueue,
  type QueueOptions,
} from '../../../src/client/producer/partition-queue.ts';
import type { ProducerBatch } from '../../../src/client/producer/producer-batch.ts';
import { BatchBuilder, readBatchHeader, validateBatch } from '../../../src/log/record/index.ts';

const OPTIONS: QueueOptions = {
  compression: 'none',
  idempotence: true,
  partitionInFlight: 5,
  batchSize: 1,
  lingerMs: 0,
};
const IDENTITY = { producerId: 7, producerEpoch: 0 };

function setup(options: Partial<QueueOptions> = {}) {
  const queue = new PartitionQueue('t', 0, { ...OPTIONS, ...options });
  const delivery = new Delivery(() => {});
  delivery.promise.catch(() => {});
  const add = (bytes = 10, nowMs = 0) =>
    queue.append({ value: Buffer.alloc(bytes), timestampMs: 0 }, bytes + 32, delivery, nowMs);
  /** A batch of its own: the open one is closed first. */
  const addBatch = () => {
    queue.closeTail();
    add();
  };
  const take = (): ProducerBatch => queue.take(IDENTITY).batch;
  const ready = () => queue.readyAtMs(false) <= 0;
  return { queue, add, addBatch, take, ready };
}

describe('partition queue', () => {
  it('gives sequences when batches are first sent, so that one given up before leaves no gap', () => {
    const { queue, addBatch, take } = setup();
    addBatch();
    addBatch();
    addBatch();
    queue.abandon(queue.waiting[0] as ProducerBatch);
    expect(take().baseSequence).toBe(0);
    expect(take().baseSequence).toBe(1);
  });

  it('sends nothing beside the first batch of an identity until that is written, for a broker takes any sequence of a stranger', () => {
    const { queue, add, addBatch, take, ready } = setup();
    add();
    add();
    for (let i = 0; i < 4; i++) addBatch();
    const first = take();
    expect(ready()).toBe(false);
    queue.split(first);
    for (const _half of [1, 2]) queue.complete(take());
    take();
    expect(ready()).toBe(true);
    queue.abandon(queue.inFlight[0] as ProducerBatch);
    take();
    expect(ready()).toBe(false);
  });

  it('keeps the sequence of a batch that is sent again, and its place before later ones', () => {
    const { queue, addBatch, take, ready } = setup();
    for (let i = 0; i < 3; i++) addBatch();
    const first = take();
    const second = take();
    queue.retry(second);
    queue.retry(first);
    expect(queue.head).toBe(first);
    expect(take()).toBe(first);
    expect(first.baseSequence).toBe(0);
    expect(ready()).toBe(false);
    queue.complete(first);
    expect(take()).toBe(second);
    expect(second).toMatchObject({ baseSequence: 1, wasFirst: true, attempts: 2 });
  });

  it('sends nothing new while a batch that was sent again is in flight', () => {
    const { queue, addBatch, take, ready } = setup();
    addBatch();
    addBatch();
    const first = take();
    queue.retry(first);
    take();
    expect(ready()).toBe(false);
    queue.complete(first);
    expect(ready()).toBe(true);
  });

  it('counts settled batches between the first in flight and the last sent: five at most in all', () => {
    const { queue, addBatch, take, ready } = setup();
    for (let i = 0; i < 7; i++) addBatch();
    const first = take();
    for (let i = 0; i < 4; i++) queue.complete(take());
    expect(queue.inFlight).toEqual([first]);
    expect(ready()).toBe(false);
    queue.complete(first);
    expect(ready()).toBe(true);
  });

  it('raises the epoch only when nothing is in flight, and then counts sequences from 0', () => {
    const { queue, addBatch, take, ready } = setup();
    for (let i = 0; i < 3; i++) addBatch();
    const first = take();
    const second = take();
    queue.resequence(first);
    expect(ready()).toBe(false);
    queue.retry(second);
    expect(take()).toBe(first);
    expect(first).toMatchObject({ baseSequence: 0, identity: { producerId: 7, producerEpoch: 1 } });
    queue.complete(first);
    expect(take()).toMatchObject({ baseSequence: 1, identity: { producerEpoch: 1 } });
    expect(readBatchHeader(second.seal())).toMatchObject({ producerEpoch: 1, baseSequence: 1 });
    expect(validateBatch(second.seal())).toBeUndefined();
  });

  it('lets a batch in doubt be settled under its own identity before the epoch rises', () => {
    const { queue, addBatch, take, ready } = setup();
    for (let i = 0; i < 3; i++) addBatch();
    const lost = take();
    const doubtful = take();
    lost.doubt = 'NETWORK_EXCEPTION';
    queue.abandon(lost);
    doubtful.doubt = 'NETWORK_EXCEPTION';
    queue.retry(doubtful);
    expect(take()).toBe(doubtful);
    expect(doubtful).toMatchObject({ baseSequence: 1, identity: { producerEpoch: 0 } });
    expect(ready()).toBe(false);
    queue.complete(doubtful);
    expect(take()).toMatchObject({ baseSequence: 0, identity: { producerEpoch: 1 } });
  });

  it('gives up a batch in doubt rather than send it under a new epoch', () => {
    const { queue, addBatch, take } = setup();
    for (let i = 0; i < 2; i++) addBatch();
    const certain = take();
    const doubtful = take();
    doubtful.doubt = 'REQUEST_TIMED_OUT';
    queue.retry(doubtful);
    queue.resequence(certain);
    expect(queue.take(IDENTITY).givenUp).toEqual([doubtful]);
    expect(queue.waiting).toEqual([]);
  });

  it('never changes bytes that were handed out', () => {
    const { queue, addBatch, take } = setup();
    addBatch();
    const batch = take();
    const sent = batch.seal();
    const copy = Buffer.from(sent);
    queue.resequence(batch);
    take();
    expect(copy.equals(sent)).toBe(true);
    expect(readBatchHeader(batch.seal()).producerEpoch).toBe(1);
  });

  it('wants another producer id when the last epoch is spent', () => {
    const { queue, addBatch } = setup();
    addBatch();
    const { batch } = queue.take({ producerId: 7, producerEpoch: 32_767 });
    queue.resequence(batch);
    expect(queue.needsIdentity).toBe(true);
    expect(queue.producerId).toBe(7);
    expect(queue.take({ producerId: 8, producerEpoch: 0 }).batch.identity).toEqual({
      producerId: 8,
      producerEpoch: 0,
    });
  });

  it('splits a batch into halves with its sequences, and makes later batches smaller', () => {
    const { queue, add, take } = setup();
    for (let i = 0; i < 101; i++) add(50);
    const whole = take();
    const [first, second] = queue.split(whole);
    expect([first?.count, second?.count]).toEqual([50, 51]);
    expect([first?.baseSequence, second?.baseSequence]).toEqual([0, 50]);
    expect(queue.waiting).toEqual([first, second]);
    for (const half of [first, second])
      expect(validateBatch(half?.seal() ?? new Uint8Array())).toBeUndefined();
    for (let i = 0; i < 200; i++) add(50);
    expect(Math.max(...queue.waiting.slice(2).map(({ sizeBytes }) => sizeBytes))).toBeLessThanOrEqual(
      whole.sizeBytes / 2,
    );
  });

  it('grows a waiting batch to the bound, then begins another', () => {
    const { queue, add } = setup();
    for (let i = 0; i < 400; i++) add(1000);
    expect(queue.waiting.length).toBe(2);
    for (const batch of queue.waiting) expect(batch.sizeBytes).toBeLessThanOrEqual(BATCH_BYTES_MAX);
  });

  it('lingers below batch.size, and not beyond it, behind another batch, or in a hurry', () => {
    const { queue, add } = setup({ lingerMs: 20, batchSize: 500 });
    add(10, 100);
    expect(queue.readyAtMs(false)).toBe(120);
    expect(queue.readyAtMs(true)).toBe(0);
    add(500, 110);
    expect(queue.readyAtMs(false)).toBe(0);
  });
});

describe('identity', () => {
  it('counts sequences up to 2^31 - 1 and then from 0', () => {
    expect(advanceSequence(2 ** 31 - 2, 1)).toBe(2 ** 31 - 1);
    expect(advanceSequence(2 ** 31 - 2, 5)).toBe(3);
  });

  it('stamps a batch so that it stays valid, with ids beyond 32 bits', () => {
    const builder = new BatchBuilder({ compression: 'lz4' });
    builder.append({ value: Buffer.alloc(100), timestampMs: 5 });
    const batch = builder.build();
    stampIdentity(batch, { producerId: 2 ** 40 + 3, producerEpoch: 9 }, 77);
    expect(validateBatch(batch)).toBeUndefined();
    expect(readBatchHeader(batch)).toMatchObject({
      producerId: 2 ** 40 + 3,
      producerEpoch: 9,
      baseSequence: 77,
    });
  });
});
