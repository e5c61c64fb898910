import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import type { Connection, FetchReply, FetchRequest, ProduceReply } from '../../../src/rpc/api/index.ts';
import type { MemoryNetworkOptions } from '../../../src/rpc/memory/index.ts';
import { Collector, produceReply, produceRequest, type ServerSide } from '../services.ts';
import { ADDRESS, openNetwork, outcome } from './fixture.ts';

const COUNT = 50;
const numbers = Array.from({ length: COUNT }, (_, i) => i);

/** Correlation ids in the order in which the server executes produce calls. */
function executions(side: ServerSide): number[] {
  const executed: number[] = [];
  const { broker } = side.services;
  if (broker === undefined) throw new Error('no broker is served');
  const { produce } = broker;
  broker.produce = (request, call) => {
    executed.push(request.correlationId);
    return produce(request, call);
  };
  return executed;
}

const produceAll = (connection: Connection) =>
  numbers.map((i) => outcome(connection.broker.produce(produceRequest(i), {})));

const fetchRequest = (correlationId: number): FetchRequest => ({
  correlationId,
  clientId: '',
  maxWaitMs: 0,
  minBytes: 0,
  maxBytes: 1,
  isolation: 'read_uncommitted',
  partitions: [],
  plain: false,
  forwarded: false,
});

const reordering = (seed = 1): Partial<MemoryNetworkOptions> => ({
  random: new SeededRandom(seed),
  reorderRate: 0.5,
});

const byValue = (a: number, b: number) => a - b;

describe('where calls overtake', () => {
  it('unary calls of one connection arrive in another order, each once', async () => {
    const { connection, side, pass } = await openNetwork(reordering());
    const executed = executions(side);
    const calls = produceAll(connection);
    await pass(200);
    expect(executed).not.toEqual(numbers);
    expect([...executed].sort(byValue)).toEqual(numbers);
    expect(calls.map(({ value }) => value?.correlationId)).toEqual(numbers);
  });

  it('replies of one connection arrive in another order too', async () => {
    const { connection, side, pass } = await openNetwork(reordering());
    const executed = executions(side);
    const answered: number[] = [];
    for (const i of numbers)
      connection.broker.produce(produceRequest(i), {}).then(
        () => answered.push(i),
        () => {},
      );
    await pass(200);
    expect(answered).not.toEqual(executed);
    expect([...answered].sort(byValue)).toEqual(numbers);
  });

  it('the openings of streams arrive in another order, and no message overtakes one of its stream', async () => {
    const { connection, side, pass } = await openNetwork({
      ...reordering(),
      delayMs: () => delays.float() * 9,
    });
    const delays = new SeededRandom(2);
    const opened: number[] = [];
    const { broker } = side.services;
    if (broker === undefined) throw new Error('no broker is served');
    const { fetchStream } = broker;
    broker.fetchStream = (replies, call) => {
      const requests = fetchStream(replies, call);
      let first = true;
      return {
        send(request) {
          if (first) opened.push(Math.floor(request.correlationId / 1000));
          first = false;
          return requests.send(request);
        },
        drained: () => requests.drained(),
        end: (error) => requests.end(error),
      };
    };
    const streams = numbers.map((stream) => {
      const replies = new Collector<FetchReply>();
      const requests = connection.broker.fetchStream(replies, {});
      for (const i of numbers) requests.send(fetchRequest(stream * 1000 + i));
      requests.end();
      return replies;
    });
    await pass(2000);
    expect([...opened].sort(byValue)).toEqual(numbers);
    expect(opened).not.toEqual(numbers);
    streams.forEach(({ received, endings }, stream) => {
      expect(received.map(({ correlationId }) => correlationId)).toEqual(
        numbers.map((i) => stream * 1000 + i),
      );
      expect(endings).toBe(1);
    });
  });

  it('a call that is cancelled while others pass it ends at the server', async () => {
    const { connection, side, pass } = await openNetwork({ ...reordering(), reorderRate: 1 });
    const calls = numbers.map((i) =>
      outcome(connection.broker.produce({ ...produceRequest(i), clientId: 'hang' }, { timeoutMs: 6 })),
    );
    await pass(300);
    for (const { error } of calls) expect(error).toMatchObject({ reason: 'deadline-exceeded' });
    expect(side.signals).toHaveLength(COUNT);
    for (const signal of side.signals) expect(signal.aborted).toBe(true);
  });

  it('a call that others pass waits behind a cut until it heals', async () => {
    const { connection, network, side, pass } = await openNetwork({ ...reordering(), reorderRate: 1 });
    const executed = executions(side);
    const call = outcome(connection.broker.produce(produceRequest(1), {}));
    await pass(5);
    network.cut('a', 'b');
    await pass(200);
    expect(executed).toEqual([]);
    network.heal();
    await pass(200);
    expect(executed).toEqual([1]);
    expect(call.value).toBeDefined();
  });

  it('a broken connection loses the calls that others pass, and each caller hears of it', async () => {
    const { connection, network, side, pass } = await openNetwork(reordering());
    const executed = executions(side);
    const calls = produceAll(connection);
    await pass(6);
    network.break('a', 'b');
    const before = executed.length;
    await pass(300);
    expect(executed).toHaveLength(before);
    for (const { error } of calls) expect(error).toMatchObject({ reason: 'disconnected' });
  });

  it('the death of either end reaches the other behind what was said before', async () => {
    const { connection, network, side, pass } = await openNetwork({ ...reordering(), reorderRate: 1 });
    const replies = new Collector<ProduceReply>();
    connection.broker.produceStream(replies, {}).send(produceRequest(1));
    await pass(100);
    side.replies?.send(produceReply(produceRequest(1)));
    await pass(100);
    side.replies?.send(produceReply(produceRequest(2)));
    network.kill('b');
    await pass(100);
    expect(replies.received).toHaveLength(2);
    expect(await replies.ended).toMatchObject({ reason: 'disconnected' });
  });

  it('the news that a server died is not lost with what is sent to it', async () => {
    const { connection, network, pass } = await openNetwork({ random: new SeededRandom(1) });
    const replies = new Collector<ProduceReply>();
    const requests = connection.broker.produceStream(replies, {});
    requests.send(produceRequest(1));
    await pass(50);
    network.kill('b');
    network.setLossRate(1);
    requests.send(produceRequest(2));
    network.setLossRate(0);
    await pass(50);
    expect(replies.endings).toBe(1);
  });

  it('nothing changes for calls made after it was turned off', async () => {
    const { connection, network, side, pass } = await openNetwork(reordering());
    network.setReorderRate(0);
    const executed = executions(side);
    produceAll(connection);
    await pass(200);
    expect(executed).toEqual(numbers);
  });

  it('the same seed gives the same order, another seed another', async () => {
    const run = async (seed: number): Promise<string> => {
      const { connection, side, pass } = await openNetwork({ ...reordering(seed), duplicateRate: 0.3 });
      const executed = executions(side);
      produceAll(connection);
      await pass(1000);
      return executed.join(' ');
    };
    expect(await run(7)).toBe(await run(7));
    expect(await run(7)).not.toBe(await run(8));
  });
});

describe('where requests come twice', () => {
  const twice = (lateMs: number): Partial<MemoryNetworkOptions> => ({
    random: new SeededRandom(1),
    duplicateRate: 1,
    duplicateLateMs: () => lateMs,
  });

  it('a unary call is executed twice and answered once', async () => {
    const { connection, side, pass } = await openNetwork(twice(30));
    const executed = executions(side);
    const call = outcome(connection.broker.produce(produceRequest(1), {}));
    await pass(12);
    expect(executed).toEqual([1]);
    expect(call.value).toEqual(produceReply(produceRequest(1)));
    await pass(50);
    expect(executed).toEqual([1, 1]);
    expect(side.signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  });

  it('the caller takes whichever reply comes first', async () => {
    const { connection, side, pass } = await openNetwork(twice(30));
    const { broker } = side.services;
    if (broker === undefined) throw new Error('no broker is served');
    let executed = 0;
    const release: (() => void)[] = [];
    broker.produce = async (request) => {
      executed += 1;
      if (executed === 1) await new Promise<void>((resolve) => release.push(resolve));
      return { ...produceReply(request), correlationId: executed };
    };
    const call = outcome(connection.broker.produce(produceRequest(1), {}));
    await pass(60);
    expect(call.value?.correlationId).toBe(2);
    for (const go of release) go();
    await pass(60);
    expect(call.value?.correlationId).toBe(2);
  });

  it('a refusal of the duplicate answers too', async () => {
    const { connection, side, pass } = await openNetwork(twice(30));
    const { broker } = side.services;
    if (broker === undefined) throw new Error('no broker is served');
    const { produce } = broker;
    let executed = 0;
    broker.produce = (request, call) =>
      produce({ ...request, clientId: ++executed === 1 ? 'hang' : 'refuse' }, call);
    const call = outcome(connection.broker.produce(produceRequest(1), {}));
    await pass(60);
    expect(call.error).toMatchObject({ code: 'NOT_LEADER_OR_FOLLOWER' });
  });

  it('a duplicate comes after the deadline of its caller, and has as long itself', async () => {
    const { connection, side, pass } = await openNetwork(twice(500));
    const hanging = { ...produceRequest(1), clientId: 'hang' };
    const call = outcome(connection.broker.produce(hanging, { timeoutMs: 100 }));
    await pass(400);
    expect(call.error).toMatchObject({ reason: 'deadline-exceeded' });
    expect(side.signals.map(({ aborted }) => aborted)).toEqual([true]);
    await pass(150);
    expect(side.signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await pass(100);
    expect(side.signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it('a duplicate comes after its caller has aborted, closed the connection or died', async () => {
    const ends = [
      (_: unknown, abort: AbortController) => abort.abort(new Error('enough')),
      ({ connection }: { connection: Connection }) => connection.close(),
      ({ network }: { network: { kill(name: string): void } }) => network.kill('a'),
    ];
    for (const end of ends) {
      const opened = await openNetwork(twice(500));
      const executed = executions(opened.side);
      const abort = new AbortController();
      const hanging = { ...produceRequest(1), clientId: 'hang' };
      outcome(opened.connection.broker.produce(hanging, { signal: abort.signal }));
      await opened.pass(100);
      end(opened, abort);
      await opened.pass(300);
      expect(executed).toEqual([1]);
      await opened.pass(300);
      expect(executed).toEqual([1, 1]);
    }
  });

  it('a killed server executes none of its duplicates, nor does its next life', async () => {
    const { connection, network, side, pass } = await openNetwork(twice(500));
    const executed = executions(side);
    outcome(connection.broker.produce(produceRequest(1), {}));
    await pass(100);
    network.kill('b');
    await network.transport('b').serve(ADDRESS, side.services);
    await pass(1000);
    expect(executed).toEqual([1]);
  });

  it('a closing listener drops the duplicates to come and waits for those that run', async () => {
    const { connection, listener, side, pass } = await openNetwork(twice(500));
    const executed = executions(side);
    outcome(connection.broker.produce(produceRequest(1), {}));
    await pass(100);
    const hanging = { ...produceRequest(2), clientId: 'hang' };
    outcome(connection.broker.produce(hanging, { timeoutMs: 450 }));
    await pass(530);
    expect(executed).toEqual([1, 2, 1, 2]);
    outcome(connection.broker.produce(produceRequest(3), {}));
    await pass(20);
    const closed = outcome(listener.close(10_000).then(() => 'closed'));
    await pass(100);
    expect(closed).toEqual({});
    await pass(400);
    expect(closed.value).toBe('closed');
    await pass(1000);
    expect(executed).toEqual([1, 2, 1, 2, 3]);
  });

  it('a listener that closes without grace cuts the duplicates that run', async () => {
    const { connection, listener, side, pass } = await openNetwork(twice(50));
    outcome(connection.broker.produce({ ...produceRequest(1), clientId: 'hang' }, {}));
    await pass(100);
    expect(side.signals).toHaveLength(2);
    await listener.close(0);
    for (const signal of side.signals) expect(signal.aborted).toBe(true);
  });

  it('a cut link holds a duplicate until it heals', async () => {
    const { connection, network, side, pass } = await openNetwork(twice(50));
    const executed = executions(side);
    outcome(connection.broker.produce(produceRequest(1), {}));
    await pass(20);
    network.cut('a', 'b');
    await pass(500);
    expect(executed).toEqual([1]);
    network.heal();
    await pass(5);
    expect(executed).toEqual([1, 1]);
  });

  it('a duplicate carries what was sent, whatever was done to the first', async () => {
    const { connection, side, pass } = await openNetwork(twice(30));
    const { broker } = side.services;
    if (broker === undefined) throw new Error('no broker is served');
    const seen: string[] = [];
    broker.produce = async (request) => {
      const batch = Buffer.from(request.partitions[0]?.batch.buffer ?? new ArrayBuffer(0));
      const sent = batch.subarray(request.partitions[0]?.batch.byteOffset).subarray(0, 5);
      seen.push(sent.toString());
      sent.fill(0);
      return produceReply(request);
    };
    outcome(connection.broker.produce(produceRequest(1), {}));
    await pass(60);
    expect(seen).toEqual(['batch', 'batch']);
  });

  it('a stream and its messages come once', async () => {
    const { connection, side, pass } = await openNetwork(twice(30));
    const requests = connection.broker.produceStream(new Collector<ProduceReply>(), {});
    for (const i of numbers) requests.send(produceRequest(i));
    requests.end();
    await pass(500);
    expect(side.requests.received.map(({ correlationId }) => correlationId)).toEqual(numbers);
  });

  it('requests that come after it was turned off come once', async () => {
    const { connection, network, side, pass } = await openNetwork(twice(30));
    const executed = executions(side);
    network.setDuplicateRate(0);
    produceAll(connection);
    await pass(500);
    expect(executed).toEqual(numbers);
  });

  it('some duplicates come soon and some after the longest deadline', async () => {
    const { connection, side, pass } = await openNetwork({ random: new SeededRandom(1), duplicateRate: 1 });
    const executed = executions(side);
    produceAll(connection);
    await pass(100);
    expect(executed.length).toBeGreaterThan(COUNT + 5);
    await pass(30_000);
    expect(executed.length).toBeLessThan(2 * COUNT);
    await pass(30_000);
    expect(executed).toHaveLength(2 * COUNT);
  });
});
