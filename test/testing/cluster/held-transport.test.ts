import { describe, expect, it } from 'vitest';
import type { EnvironmentError } from '../../../src/base/index.ts';
import { SILENT } from '../../../src/env/index.ts';
import type { ProduceReply, Transport } from '../../../src/rpc/api/index.ts';
import { createMemoryNetwork } from '../../../src/rpc/memory/index.ts';
import { Drops } from '../../../src/testing/cluster/faults/drops.ts';
import { HeldTransport } from '../../../src/testing/cluster/faults/held-transport.ts';
import { Links } from '../../../src/testing/cluster/faults/links.ts';
import { Scheduler, VirtualTimers } from '../../../src/testing/twins/index.ts';
import { realTimers } from '../../rpc/memory/real-timers.ts';
import { Collector, produceReply, produceRequest, type ServerSide, serverSide } from '../../rpc/services.ts';
import { describeTransport, type Harness } from '../../rpc/transport-contract.ts';

describeTransport('memory, with faults that do not happen', async (): Promise<Harness> => {
  const network = createMemoryNetwork({ timers: realTimers, logger: SILENT });
  const options = { timers: realTimers, links: new Links(realTimers), drops: new Drops() };
  const held = (name: string, place: number): Transport =>
    new HeldTransport({ ...options, transport: network.transport(name), place, placeOf: () => 2 });
  let client = held('client', 1);
  let server = held('server', 2);
  return {
    get client() {
      return client;
    },
    get server() {
      return server;
    },
    address: { host: 'server', port: 0 },
    nowhere: { host: 'nowhere', port: 1 },
    async killServer() {
      network.kill('server');
      server = held('server', 2);
    },
    async killClient() {
      network.kill('client');
      client = held('client', 1);
    },
    async close() {
      await client.close();
      await server.close();
    },
  };
});

/** Node 1 calls node 2, in virtual time; messages take none. */
class World {
  readonly scheduler = new Scheduler();
  readonly timers = new VirtualTimers(this.scheduler);
  readonly links = new Links(this.timers);
  readonly drops = new Drops();
  readonly network = createMemoryNetwork({ timers: this.timers, delayMs: () => 0 });
  readonly side: ServerSide = serverSide();
  readonly client = new HeldTransport({
    transport: this.network.transport('1'),
    place: 1,
    timers: this.timers,
    links: this.links,
    drops: this.drops,
    placeOf: () => 2,
  });

  static async open(): Promise<World> {
    const world = new World();
    const { timers, links, drops } = world;
    const transport = world.network.transport('2');
    const server = new HeldTransport({ transport, place: 2, timers, links, drops, placeOf: () => undefined });
    await server.serve({ host: '2', port: 1 }, world.side.services);
    return world;
  }

  get broker() {
    return this.client.connect({ host: '2', port: 1 }).broker;
  }
}

const failure = (reason: EnvironmentError['reason']) =>
  expect.objectContaining({ name: 'EnvironmentError', reason });

function aborting(): { readonly signal: AbortSignal; abort(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(new Error('enough')) };
}

const options = (timeoutMs: number) => ({ timeoutMs });

describe('a cut link', () => {
  it('holds a request until it heals', async () => {
    const { links, broker, side, scheduler } = await World.open();
    const heal = links.cut([1], [2]);
    const reply = broker.produce(produceRequest(1), options(5000));
    await scheduler.run(1000);
    expect(side.signals).toEqual([]);
    heal();
    expect(await scheduler.finish(reply)).toEqual(produceReply(produceRequest(1)));
  });

  it('holds the reply of a call that was made before', async () => {
    const { links, broker, side, scheduler } = await World.open();
    const heal = links.cut([2], [1]);
    let replied = false;
    const reply = broker.produce(produceRequest(1), options(5000)).then(() => {
      replied = true;
    });
    await scheduler.run(1000);
    expect([side.signals.length, replied]).toEqual([1, false]);
    heal();
    await scheduler.finish(reply);
  });

  it('does not keep a caller from giving up', async () => {
    const { links, broker, scheduler } = await World.open();
    links.cut([1], [2]);
    const late = broker.produce(produceRequest(1), options(100));
    const { signal, abort } = aborting();
    const left = broker.produce(produceRequest(2), { timeoutMs: 1000, signal });
    abort();
    await expect(left).rejects.toThrow('enough');
    await expect(scheduler.finish(late)).rejects.toEqual(failure('deadline-exceeded'));
  });

  it('hides from the other side that a caller gave up', async () => {
    const { links, broker, side, scheduler } = await World.open();
    const { signal, abort } = aborting();
    const hanging = broker.produce({ ...produceRequest(1), clientId: 'hang' }, { signal });
    const left = expect(hanging).rejects.toThrow('enough');
    await scheduler.run(10);
    const heal = links.cut([1], [2]);
    abort();
    await left;
    await scheduler.run(1000);
    expect(side.signals.map(({ aborted }) => aborted)).toEqual([false]);
    heal();
    await scheduler.run(10);
    expect(side.signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('keeps the order of a stream, and tells its sender to wait', async () => {
    const { links, broker, side, scheduler } = await World.open();
    const requests = broker.produceStream(new Collector<ProduceReply>(), {});
    expect(requests.send(produceRequest(1))).toBe(true);
    await scheduler.run(10);
    const heal = links.cut([1], [2]);
    expect([2, 3].map((id) => requests.send(produceRequest(id)))).toEqual([false, false]);
    const room = requests.drained();
    await scheduler.run(1000);
    expect(side.requests.received.map(({ correlationId }) => correlationId)).toEqual([1]);
    heal();
    await scheduler.finish(room);
    await scheduler.run(10);
    expect(side.requests.received.map(({ correlationId }) => correlationId)).toEqual([1, 2, 3]);
  });

  it('breaks its calls, at both ends, when it lasts longer than keepalives do', async () => {
    const { links, broker, side, scheduler } = await World.open();
    const replies = new Collector<ProduceReply>();
    broker.produceStream(replies, {});
    await scheduler.run(10);
    links.cut([2], [1]);
    await scheduler.run(20_000);
    expect(await scheduler.finish(replies.ended)).toEqual(failure('disconnected'));
    expect(side.call?.signal.aborted).toBe(true);
    expect(replies.endings).toBe(1);
  });

  it('stays cut until each of its cuts is undone', async () => {
    const { links, broker, side, scheduler } = await World.open();
    const [first, second] = [links.cut([1], [2]), links.cut([1], [2, 3])];
    const reply = broker.produce(produceRequest(1), options(5000));
    first();
    first();
    await scheduler.run(100);
    expect(side.signals).toEqual([]);
    second();
    await scheduler.finish(reply);
  });
});

describe('a place that stands still', () => {
  it('hears of nothing until it resumes, not even of broken connections', async () => {
    const { links, broker, scheduler } = await World.open();
    const replies = new Collector<ProduceReply>();
    broker.produceStream(replies, {});
    await scheduler.run(10);
    links.pause(1);
    await scheduler.run(20_000);
    expect(replies.endings).toBe(0);
    links.resume(1);
    expect(await scheduler.finish(replies.ended)).toEqual(failure('disconnected'));
  });

  it('holds up lanes that are used for the first time, too', async () => {
    const { links, broker, side, scheduler } = await World.open();
    links.pause(2);
    const reply = broker.produce(produceRequest(1), options(5000));
    await scheduler.run(100);
    expect(side.signals).toEqual([]);
    links.resume(2);
    await scheduler.finish(reply);
  });
});

describe('a place that stands still, for callers that know of no lanes', () => {
  it('begins nothing, and takes no message of a stream, until it resumes', async () => {
    const { links, network, side, scheduler } = await World.open();
    const { broker } = network.transport('stranger').connect({ host: '2', port: 1 });
    const requests = broker.produceStream(new Collector<ProduceReply>(), {});
    await scheduler.run(10);
    links.pause(2);
    requests.send(produceRequest(1));
    const reply = broker.produce(produceRequest(2), options(5000));
    await scheduler.run(1000);
    expect([side.signals, side.requests.received]).toEqual([[], []]);
    links.resume(2);
    await scheduler.finish(reply);
    expect(side.requests.received).toEqual([produceRequest(1)]);
  });
});

describe('a dropped message', () => {
  it('is a request without effect', async () => {
    const { drops, broker, side, scheduler } = await World.open();
    const { dropped } = drops.next({ method: 'broker.produce', message: 'request', from: 1, to: 2 });
    const sent = scheduler.finish(broker.produce(produceRequest(1), options(100)));
    await expect(sent).rejects.toEqual(failure('disconnected'));
    await dropped;
    expect(side.signals).toEqual([]);
    await scheduler.finish(broker.produce(produceRequest(1), options(100)));
  });

  it('is a reply whose request had its effect', async () => {
    const { drops, broker, side, scheduler } = await World.open();
    drops.next({ method: 'broker.produce', message: 'reply' });
    const sent = scheduler.finish(broker.produce(produceRequest(1), options(100)));
    await expect(sent).rejects.toEqual(failure('disconnected'));
    expect(side.signals).toHaveLength(1);
  });

  it('takes its stream along', async () => {
    const { drops, broker, side, scheduler } = await World.open();
    const replies = new Collector<ProduceReply>();
    const requests = broker.produceStream(replies, {});
    requests.send(produceRequest(1));
    await scheduler.run(10);
    drops.next({ method: 'broker.produceStream', message: 'reply' });
    side.replies?.send(produceReply(produceRequest(1)));
    expect(await scheduler.finish(replies.ended)).toEqual(failure('disconnected'));
    expect(replies.received).toEqual([]);
    await scheduler.run(10);
    expect(side.call?.signal.aborted).toBe(true);
  });

  it('is of the method and between the places that were named', async () => {
    const { drops, broker, scheduler } = await World.open();
    drops.next({ method: 'broker.produceStream', message: 'request' });
    drops.next({ method: 'broker.produce', message: 'request', from: 'clients' });
    drops.next({ method: 'broker.produce', message: 'request', to: 1 }).cancel();
    const reply = await scheduler.finish(broker.produce(produceRequest(1), options(100)));
    expect(reply).toEqual(produceReply(produceRequest(1)));
  });
});
