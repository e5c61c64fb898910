import { describe, expect, it } from 'vitest';
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../../src/log/producer/producer-snapshot.ts';
import {
  BATCHES_PER_PRODUCER,
  PRODUCERS_MAX,
  ProducerStates,
} from '../../src/log/producer/producer-states.ts';
import { readBatchHeader, stampBatch } from '../../src/log/record/index.ts';
import { batchOf, LogFixture } from './log-fixture.ts';

const MAX = 2 ** 31 - 1;
const headerOf = (baseSequence: number, count = 1, producerEpoch = 0, baseOffset = 0) => {
  const values = Array.from({ length: count }, () => 'v');
  const batch = batchOf(values, { producerId: 9, producerEpoch, baseSequence });
  stampBatch(batch, { baseOffset, leaderEpoch: 0 });
  return readBatchHeader(batch);
};

describe('producer states', () => {
  it('of a producer that is not known, any sequence begins', () => {
    expect(new ProducerStates().check(headerOf(77))).toBeUndefined();
  });

  it(`know the last ${BATCHES_PER_PRODUCER} batches by their exact sequences, and no older one`, () => {
    const states = new ProducerStates();
    for (let i = 0; i < 7; i++) states.record(headerOf(2 * i, 2, 0, 100 + 2 * i));
    for (let i = 2; i < 7; i++)
      expect(states.check(headerOf(2 * i, 2))).toMatchObject({ lastOffset: 101 + 2 * i });
    expect(() => states.check(headerOf(2, 2))).toThrow(/must send sequence 14/);
    expect(() => states.check(headerOf(12, 1))).toThrow(
      expect.objectContaining({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }),
    );
    expect(() => states.check(headerOf(15, 1))).toThrow(/begins with 15/);
    expect(states.check(headerOf(14, 1))).toBeUndefined();
  });

  it('the sequence after 2^31 - 1 is 0, also within a batch', () => {
    const states = new ProducerStates();
    states.record(headerOf(MAX));
    expect(states.check(headerOf(0))).toBeUndefined();
    const wrapped = new ProducerStates();
    wrapped.record(headerOf(MAX - 1, 3));
    expect(wrapped.check(headerOf(1))).toBeUndefined();
    expect(() => wrapped.check(headerOf(0))).toThrow(/must send sequence 1/);
    expect(wrapped.check(headerOf(MAX - 1, 3))).toMatchObject({ firstSequence: MAX - 1, lastSequence: 0 });
  });

  it('an older epoch is fenced, a newer one begins with sequence 0', () => {
    const states = new ProducerStates();
    states.record(headerOf(5, 1, 3));
    expect(() => states.check(headerOf(6, 1, 2))).toThrow(
      expect.objectContaining({ code: 'INVALID_PRODUCER_EPOCH' }),
    );
    expect(() => states.check(headerOf(6, 1, 4))).toThrow(
      expect.objectContaining({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }),
    );
    expect(states.check(headerOf(0, 1, 4))).toBeUndefined();
  });

  it('at their limit forget the tenth that has been silent longest in the log, whatever timestamps say', () => {
    const states = new ProducerStates();
    const header = headerOf(0);
    for (let producerId = 1; producerId <= PRODUCERS_MAX; producerId++)
      states.record({ ...header, producerId });
    states.record({ ...header, producerId: 1, baseSequence: 1 });
    states.record({ ...header, producerId: PRODUCERS_MAX + 1 });
    expect(states.count).toBe(0.9 * PRODUCERS_MAX + 1);
    expect(states.check({ ...header, producerId: 1 })).toBeDefined();
    expect(states.find(2)).toBeUndefined();
    expect(states.find(PRODUCERS_MAX)).toBeDefined();
  });

  it('a snapshot keeps what is known of each producer, and damage in it shows', () => {
    const states = new ProducerStates();
    for (let i = 0; i < 7; i++) states.record({ ...headerOf(i, 1, 0, i), producerId: 8 });
    states.record(headerOf(MAX - 1, 3, 2, 40));
    states.expire(2000, 1000);
    const bytes = encodeProducerSnapshot(states);
    const again = decodeProducerSnapshot(bytes, 'file');
    expect([...again.all()]).toEqual([...states.all()]);
    for (let at = 0; at < bytes.length; at += 3) {
      const damaged = bytes.slice();
      damaged[at]! ^= 4;
      expect(() => decodeProducerSnapshot(damaged, 'file')).toThrow(/file is damaged/);
    }
  });
});

describe('idempotent appends to a log', () => {
  const produce = (fixture: LogFixture, baseSequence: number, producerEpoch = 0) =>
    fixture.append(['x', 'y'], { producerId: 5, producerEpoch, baseSequence });

  it('a repeated batch gets its first offsets and is not appended again', async () => {
    const fixture = await LogFixture.open();
    produce(fixture, 0);
    fixture.append(['other']);
    produce(fixture, 2);
    expect(produce(fixture, 0)).toEqual({
      firstOffset: 0,
      lastOffset: 1,
      logAppendTimeMs: -1,
      duplicate: true,
    });
    expect(produce(fixture, 2)).toMatchObject({ firstOffset: 3, lastOffset: 4, duplicate: true });
    expect(fixture.log.logEndOffset).toBe(5);
    expect(() => produce(fixture, 6)).toThrow(
      expect.objectContaining({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }),
    );
  });

  for (const end of ['restart', 'kill'] as const) {
    it(`all batches that may be in flight are known after a ${end}, with their snapshot lost too`, async () => {
      const fixture = await LogFixture.open({ config: { segmentBytes: 200 } });
      for (let i = 0; i < 6; i++) produce(fixture, 2 * i);
      await fixture.flushed();
      await fixture[end]();
      for (let at = 2; at <= 10; at += 2)
        expect(produce(fixture, at)).toMatchObject({ firstOffset: at, duplicate: true });
      expect(() => produce(fixture, 14)).toThrow(/must send sequence 12/);
      for (const path of fixture.files.paths())
        if (path.endsWith('.snapshot')) fixture.files.flipBit(path, 70);
      await fixture.kill();
      expect(produce(fixture, 10)).toMatchObject({ firstOffset: 10, duplicate: true });
      expect(produce(fixture, 12)).toMatchObject({ firstOffset: 12, duplicate: false });
    });
  }

  it('a cut takes the state back to what the log still holds', async () => {
    const fixture = await LogFixture.open({ config: { segmentBytes: 200 } });
    for (let i = 0; i < 6; i++) produce(fixture, 2 * i);
    await fixture.log.truncateTo(6);
    expect(produce(fixture, 4)).toMatchObject({ firstOffset: 4, duplicate: true });
    expect(() => produce(fixture, 12)).toThrow(/must send sequence 6/);
    expect(produce(fixture, 6)).toMatchObject({ firstOffset: 6, duplicate: false });
    await fixture.log.truncateFullyAndStartAt(50);
    expect(produce(fixture, 99)).toMatchObject({ firstOffset: 50, duplicate: false });
  });

  it('a follower records what it is sent, so that it knows repetitions when it leads', async () => {
    const leader = await LogFixture.open();
    produce(leader, 0);
    produce(leader, 2);
    const read = await leader.log.read(0, { maxBytes: 1e6, upperBound: 4, atLeastOne: true });
    const follower = await LogFixture.open();
    follower.log.appendAsFollower(
      read.batches.map((batch) => Buffer.from(batch)),
      0,
    );
    expect(produce(follower, 0)).toMatchObject({ firstOffset: 0, duplicate: true });
    expect(() => produce(follower, 6)).toThrow(/must send sequence 4/);
  });
});
