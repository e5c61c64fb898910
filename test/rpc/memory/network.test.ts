import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import type { FetchReply, ProduceReply } from '../../../src/rpc/api/index.ts';
import { RecordingLogger } from '../../../src/testing/twins/index.ts';
import { Collector, produceReply, produceRequest } from '../services.ts';
import { openNetwork, outcome } from './fixture.ts';

describe('a memory network', () => {
  it('delivers after the delay of its links, by the given timers only', async () => {
    const { connection, pass } = await openNetwork();
    const reply = outcome(connection.broker.produce(produceRequest(1), {}));
    await pass(9);
    expect(reply).toEqual({});
    await pass(2);
    expect(reply.value).toEqual(produceReply(produceRequest(1)));
  });

  it('logs what breaks in an implementation, and not that it gave up with its caller', async () => {
    const logger = new RecordingLogger();
    const { connection, pass } = await openNetwork({ logger });
    const calling = (clientId: string) =>
      outcome(connection.broker.produce({ ...produceRequest(1), clientId }, { timeoutMs: 20 }));
    calling('follow');
    calling('crash');
    await pass(100);
    expect(logger.lines.map(({ fields }) => String(fields.error))).toEqual(['Error: at /secret/path.ts:1']);
  });

  it('keeps the order of a connection whatever the delays', async () => {
    const random = new SeededRandom(3);
    const { connection, pass } = await openNetwork({ delayMs: () => random.integer(0, 50) });
    const replies = new Collector<FetchReply>();
    const requests = connection.broker.fetchStream(replies, {});
    for (let i = 0; i < 50; i++)
      requests.send({
        ...{
          clientId: '',
          maxWaitMs: 0,
          minBytes: 0,
          maxBytes: 1,
          partitions: [],
          plain: false,
          forwarded: false,
        },
        correlationId: i,
        isolation: 'read_uncommitted',
      });
    await pass(1000);
    expect(replies.received.map(({ correlationId }) => correlationId)).toEqual(
      Array.from({ length: 50 }, (_, i) => i),
    );
  });

  it('holds what a cut link carries until it heals, while the other direction works', async () => {
    const { network, connection, side, pass } = await openNetwork();
    const replies = new Collector<ProduceReply>();
    const requests = connection.broker.produceStream(replies, {});
    requests.send(produceRequest(1));
    await pass(50);
    network.cut('a', 'b');
    requests.send(produceRequest(2));
    side.replies?.send(produceReply(produceRequest(1)));
    await pass(50);
    expect([side.requests.received.length, replies.received.length]).toEqual([1, 1]);
    requests.send(produceRequest(3));
    network.heal('a', 'b');
    await pass(50);
    expect(side.requests.received.map(({ correlationId }) => correlationId)).toEqual([1, 2, 3]);
    expect(replies.endings).toBe(0);
  });

  it('lets a call over a cut link fail by its deadline only', async () => {
    for (const [from, to] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const { network, connection, pass } = await openNetwork();
      network.cut(from, to);
      const call = outcome(connection.broker.metadata({}, { timeoutMs: 100 }));
      await pass(99);
      expect(call).toEqual({});
      await pass(2);
      expect(call.error).toMatchObject({ reason: 'deadline-exceeded' });
    }
  });

  it('hides the death of a node behind a cut link', async () => {
    const { network, connection, side, pass } = await openNetwork();
    const replies = new Collector<ProduceReply>();
    connection.broker.produceStream(replies, {}).send(produceRequest(1));
    await pass(50);
    network.cut('b', 'a');
    network.kill('b');
    await pass(50);
    expect([replies.endings, side.requests.endings]).toEqual([0, 0]);
    network.heal();
    await pass(50);
    expect(await replies.ended).toMatchObject({ reason: 'disconnected' });
  });

  it('lets a killed node send and hear nothing', async () => {
    const { network, connection, side, pass } = await openNetwork();
    const replies = new Collector<ProduceReply>();
    connection.broker.produceStream(replies, {}).send(produceRequest(1));
    await pass(50);
    network.kill('b');
    side.replies?.send(produceReply(produceRequest(1)));
    await pass(50);
    expect(replies.received).toEqual([]);
    expect(side.requests.endings).toBe(0);
    const late = outcome(connection.broker.metadata({}, {}));
    await pass(50);
    expect(late.error).toMatchObject({ reason: 'unreachable' });
  });

  it('breaks a connection at both ends when a message is lost', async () => {
    const { network, connection, side, pass } = await openNetwork({ random: new SeededRandom(1) });
    const replies = new Collector<ProduceReply>();
    const requests = connection.broker.produceStream(replies, {});
    requests.send(produceRequest(1));
    await pass(50);
    network.setLossRate(1);
    requests.send(produceRequest(2));
    network.setLossRate(0);
    await pass(50);
    expect(await replies.ended).toMatchObject({ reason: 'disconnected' });
    expect(await side.requests.ended).toMatchObject({ reason: 'disconnected' });
    const again = outcome(connection.broker.metadata({}, {}));
    await pass(50);
    expect(again.value).toBeDefined();
  });

  it('breaks connections when told to, and they are made again', async () => {
    const { network, connection, pass } = await openNetwork();
    const hanging = outcome(connection.broker.produce({ ...produceRequest(1), clientId: 'hang' }, {}));
    await pass(50);
    network.break('a', 'b');
    await pass(50);
    expect(hanging.error).toMatchObject({ reason: 'disconnected' });
    const again = outcome(connection.broker.metadata({}, {}));
    await pass(50);
    expect(again.value).toBeDefined();
  });

  it('plays the same run again from the same seed', async () => {
    const run = async (seed: number): Promise<string> => {
      const random = new SeededRandom(seed);
      const { connection, pass } = await openNetwork({
        delayMs: () => random.float() * 9,
        lossRate: 0.1,
        random,
      });
      const calls = Array.from({ length: 40 }, (_, i) =>
        outcome(connection.broker.produce(produceRequest(i), {})),
      );
      await pass(500);
      return calls.map(({ value }) => (value === undefined ? 'x' : value.correlationId)).join(' ');
    };
    expect(await run(7)).toBe(await run(7));
    expect(await run(7)).not.toBe(await run(8));
  });
});
