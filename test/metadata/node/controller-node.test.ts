import { describe, expect, it } from 'vitest';
import type { ApiError } from '../../../src/base/index.ts';
import {
  ControllerNode,
  decodeRecords,
  encodeRecords,
  imageDigest,
  type MetadataRecord,
} from '../../../src/metadata/index.ts';
import type { BrokerHeartbeat, BrokerHeartbeatReply, Sink } from '../../../src/rpc/api/index.ts';
import {
  createTestEnvironment,
  Scheduler,
  settle,
  type TestEnvironment,
} from '../../../src/testing/twins/index.ts';
import { CONFIG, id, registerRequest, topicRequest } from '../controller/fixture.ts';
import { QuorumTwin } from './quorum-twin.ts';

/** A broker as the controllers see it: a session stream and what it says through it. */
class BrokerTwin {
  readonly id: number;
  readonly replies: BrokerHeartbeatReply[] = [];
  readonly #abort = new AbortController();
  readonly #requests: Sink<BrokerHeartbeat>;
  brokerEpoch = -1;
  endedWith: Error | undefined;
  isEnded = false;
  #correlationId = 0;

  constructor(brokerId: number, controller: ControllerNode) {
    this.id = brokerId;
    const replies: Sink<BrokerHeartbeatReply> = {
      send: (reply) => this.replies.push(reply) > 0,
      drained: async () => {},
      end: (error) => {
        this.isEnded = true;
        this.endedWith = error;
      },
    };
    this.#requests = controller.session(replies, { peer: `broker ${brokerId}`, signal: this.#abort.signal });
  }

  heartbeat(currentMetadataOffset: number, changes: Partial<BrokerHeartbeat> = {}): void {
    this.#requests.send({
      correlationId: this.#correlationId++,
      brokerId: this.id,
      brokerEpoch: this.brokerEpoch,
      currentMetadataOffset,
      wantFence: false,
      wantShutdown: false,
      offlineLogDirs: [],
      ...changes,
    });
  }

  /** The connection breaks. */
  break(): void {
    this.#abort.abort();
  }
}

class Fixture {
  readonly scheduler = new Scheduler();
  readonly quorum = new QuorumTwin(this.scheduler);
  readonly environments: TestEnvironment[] = [];
  readonly nodes: ControllerNode[];

  constructor(count = 1, config = {}) {
    this.nodes = Array.from({ length: count }, (_, nodeId) => {
      const environment = createTestEnvironment({ seed: 1, scheduler: this.scheduler, name: `c${nodeId}` });
      this.environments.push(environment);
      const raft = this.quorum.node(nodeId);
      const node = new ControllerNode({ raft, environment, config: { ...CONFIG, ...config } });
      node.start();
      return node;
    });
  }

  get active(): ControllerNode {
    const node = this.nodes[this.quorum.leaderId];
    if (node === undefined) throw new Error('nobody leads');
    return node;
  }

  async run(ms: number): Promise<void> {
    await this.scheduler.run(ms);
  }

  async finish<T>(promise: Promise<T>): Promise<T> {
    return this.scheduler.finish(promise, 60_000);
  }

  /** Registered, connected and unfenced. */
  async start(brokerId: number): Promise<BrokerTwin> {
    const broker = new BrokerTwin(brokerId, this.active);
    broker.brokerEpoch = (
      await this.finish(this.active.registerBroker(registerRequest(brokerId)))
    ).brokerEpoch;
    broker.heartbeat(this.quorum.highWatermark);
    await this.run(5);
    return broker;
  }

  isFenced(brokerId: number): boolean | undefined {
    return this.active.image().cluster.brokers.get(brokerId)?.fenced;
  }

  create(name: string, timeoutMs = 10_000) {
    const topics = [topicRequest(name)];
    return this.active.createTopics({ topics, validateOnly: false, timeoutMs });
  }

  records(): MetadataRecord[] {
    return this.quorum.log.flatMap(({ kind, payload }) => (kind === 'data' ? decodeRecords(payload) : []));
  }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'NONE';
  } catch (error) {
    return `${(error as ApiError).code}: ${(error as ApiError).message}`;
  }
}

describe('a controller', () => {
  it('refuses what only the active one may do, naming the active one', async () => {
    const f = new Fixture(2);
    const [first, second] = f.nodes as [ControllerNode, ControllerNode];
    expect(await codeOf(first.registerBroker(registerRequest(1)))).toBe(
      'NOT_CONTROLLER: node 0 is not the active controller; none is known now',
    );
    f.quorum.elect(0);
    expect(await codeOf(second.registerBroker(registerRequest(1)))).toBe(
      'NOT_CONTROLLER: node 1 is not the active controller; node 0 at localhost:9000 is',
    );
    const broker = new BrokerTwin(1, second);
    expect((broker.endedWith as ApiError).code).toBe('NOT_CONTROLLER');
  });

  it('writes the level of metadata.version first, and only on an empty log', async () => {
    const f = new Fixture(2);
    f.quorum.elect(0);
    await f.run(10);
    expect(f.records()).toEqual([{ kind: 'feature-level', name: 'metadata.version', featureLevel: 1 }]);
    f.quorum.elect(1);
    await f.run(10);
    expect(f.records()).toHaveLength(1);
  });

  it('writes something at each idle interval, and nothing beside other records', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    await f.run(2600);
    const idle = f.records().filter(({ kind }) => kind === 'no-op').length;
    expect(idle).toBe(5);
    for (let i = 0; i < 20; i++) {
      await f.run(100);
      await f.finish(f.active.registerBroker(registerRequest(i)));
    }
    expect(f.records().filter(({ kind }) => kind === 'no-op')).toHaveLength(idle);
  });

  it('that loses its office by what it writes sets no timer any more', async () => {
    const f = new Fixture();
    f.quorum.deposes = true;
    f.quorum.elect(0);
    expect(f.environments[0]?.timers.pending).toBe(0);
    f.quorum.elect(0);
    await f.run(400);
    f.quorum.deposes = true;
    await f.run(400);
    expect([f.quorum.leaderId, f.environments[0]?.timers.pending]).toEqual([-1, 0]);
  });

  it('that idled when it lost its office writes no more than others in the next one', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    await f.run(400);
    f.quorum.deposes = true;
    await f.run(200);
    f.quorum.elect(0);
    await f.run(2600);
    expect(f.records().filter(({ kind }) => kind === 'no-op')).toHaveLength(5);
    await f.nodes[0]?.close();
    expect(f.environments[0]?.timers.pending).toBe(0);
  });

  it('has the same image as those that stand by', async () => {
    const f = new Fixture(3);
    f.quorum.elect(0);
    const broker = await f.start(1);
    const created = f.create('lines');
    await f.run(5);
    broker.heartbeat(f.quorum.highWatermark);
    await f.finish(created);
    const digests = await Promise.all(f.nodes.map((node) => node.imageDigest()));
    expect(new Set(digests.map(({ digest, offset }) => `${digest}@${offset}`)).size).toBe(1);
    expect(digests[0]?.digest).toBe(imageDigest(f.active.image()));
  });

  it('ends the process on a record that cannot be replayed, standing by as well as active', async () => {
    const f = new Fixture(2);
    f.quorum.elect(0);
    await f.run(5);
    const payload = encodeRecords([{ kind: 'remove-topic', topicId: id(9) }]);
    f.quorum.log.push({ offset: f.quorum.log.length, epoch: 1, kind: 'data', payload });
    f.quorum.commit();
    expect(f.environments.map(({ exit }) => exit.ends.map(({ reason }) => reason))).toEqual([
      ['bug'],
      ['metadata-replay'],
    ]);
    expect(f.nodes[0]?.isActive).toBe(false);
  });
});

describe('brokers of an active controller', () => {
  it('register, are unfenced by a heartbeat, and are told so when it is committed', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    const broker = await f.start(1);
    expect(broker.replies).toEqual([
      { correlationId: 0, isCaughtUp: true, isFenced: false, shouldShutdown: false, error: 'NONE' },
    ]);
    expect(f.isFenced(1)).toBe(false);
    f.quorum.commits = false;
    broker.heartbeat(f.quorum.highWatermark, { wantFence: true });
    await f.run(100);
    expect(broker.replies).toHaveLength(1);
    f.quorum.commit();
    await settle();
    expect(broker.replies[1]).toMatchObject({ isFenced: true });
  });

  it('are told when they speak for another incarnation', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    const broker = await f.start(1);
    broker.heartbeat(f.quorum.highWatermark, { brokerEpoch: 99 });
    await f.run(5);
    expect(broker.replies[1]).toMatchObject({ error: 'STALE_BROKER_EPOCH', isFenced: true });
  });

  it('are fenced after the grace when their stream breaks and does not come back', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    const [one, two] = [await f.start(1), await f.start(2)];
    one.break();
    two.break();
    await f.run(400);
    const again = new BrokerTwin(2, f.active);
    again.brokerEpoch = two.brokerEpoch;
    again.heartbeat(f.quorum.highWatermark);
    await f.run(110);
    expect([f.isFenced(1), f.isFenced(2)]).toEqual([true, false]);
    await f.run(2000);
    expect(f.isFenced(2)).toBe(false);
  });

  it('are fenced by silence on a stream that stays open', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    await f.start(1);
    await f.run(8980);
    expect(f.isFenced(1)).toBe(false);
    await f.run(30);
    expect(f.isFenced(1)).toBe(true);
  });

  it('are not fenced when heartbeats reach a controller whose log does not move', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    const broker = await f.start(1);
    f.quorum.commits = false;
    for (let i = 0; i < 6; i++) {
      await f.run(4000);
      broker.heartbeat(f.quorum.highWatermark);
    }
    expect(broker.replies.at(-1)).toMatchObject({ error: 'REQUEST_TIMED_OUT' });
    f.quorum.commits = true;
    await f.run(600);
    expect(f.isFenced(1)).toBe(false);
  });

  it('have their time begin anew under a new controller', async () => {
    const f = new Fixture(2);
    f.quorum.elect(0);
    await f.start(1);
    await f.run(8000);
    f.quorum.elect(1);
    await f.run(8980);
    expect(f.isFenced(1)).toBe(false);
    await f.run(30);
    expect(f.isFenced(1)).toBe(true);
  });

  it('that died with the controller are fenced soon after the others have come to the new one', async () => {
    const f = new Fixture(2);
    f.quorum.elect(0);
    const brokers = [await f.start(1), await f.start(2)];
    f.quorum.elect(1);
    const [alive] = brokers.map(({ id, brokerEpoch }) =>
      Object.assign(new BrokerTwin(id, f.active), { brokerEpoch }),
    );
    await f.run(300);
    alive?.heartbeat(f.quorum.highWatermark);
    await f.run(CONFIG.brokerDisconnectGraceMs - 10);
    expect([f.isFenced(1), f.isFenced(2)]).toEqual([false, false]);
    await f.run(20);
    expect([f.isFenced(1), f.isFenced(2)]).toEqual([false, true]);
  });

  it('lose their streams when the controller leaves office', async () => {
    const f = new Fixture(2);
    f.quorum.elect(0);
    const broker = await f.start(1);
    f.quorum.elect(1);
    expect((broker.endedWith as ApiError).message).toContain('node 1 at localhost:9001');
  });

  it('are not fenced by the end of an old stream that arrives after a later one', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    const broker = await f.start(1);
    const late = new BrokerTwin(1, f.active);
    late.brokerEpoch = broker.brokerEpoch;
    broker.heartbeat(f.quorum.highWatermark, { correlationId: 9 });
    late.heartbeat(0, { correlationId: 8, wantFence: true });
    expect(late.isEnded).toBe(true);
    late.break();
    await f.run(CONFIG.brokerDisconnectGraceMs + 100);
    expect(f.isFenced(1)).toBe(false);
    expect(broker.isEnded).toBe(false);
  });

  it('share no stream', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    const broker = await f.start(1);
    broker.heartbeat(0, { brokerId: 2 });
    expect((broker.endedWith as ApiError).code).toBe('INVALID_REQUEST');
  });
});

describe('the creation of a topic', () => {
  it('is answered when every live broker has published it', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    const [one, two] = [await f.start(1), await f.start(2)];
    let answered = false;
    const created = f.create('lines').then((reply) => {
      answered = true;
      return reply;
    });
    await f.run(10);
    one.heartbeat(f.quorum.highWatermark);
    two.heartbeat(f.quorum.highWatermark - 1);
    await f.run(10);
    expect(answered).toBe(false);
    two.heartbeat(f.quorum.highWatermark);
    await f.run(1);
    expect(answered).toBe(true);
    expect((await created).topics[0]?.error).toBe('NONE');
  });

  it('does not wait for a broker that is fenced meanwhile', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    const [one, two] = [await f.start(1), await f.start(2)];
    const before = f.scheduler.nowMs;
    const created = f.create('lines');
    await f.run(5);
    one.heartbeat(f.quorum.highWatermark);
    two.break();
    await f.finish(created);
    expect(f.scheduler.nowMs - before).toBeLessThan(520);
  });

  it('succeeds within its time though a live broker says nothing', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    await f.start(1);
    const before = f.scheduler.nowMs;
    const reply = await f.finish(f.create('lines', 1000));
    expect(reply.topics[0]?.error).toBe('NONE');
    expect(f.scheduler.nowMs - before).toBeLessThanOrEqual(800);
  });

  it('that made nothing is answered at once', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    await f.start(1);
    const before = f.scheduler.nowMs;
    expect((await f.finish(f.create('../x'))).topics[0]?.error).toBe('INVALID_TOPIC_EXCEPTION');
    expect(f.scheduler.nowMs - before).toBeLessThan(5);
  });

  it('fails in time, with its outcome unknown, when nothing commits', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    await f.start(1);
    f.quorum.commits = false;
    expect(await f.finish(codeOf(f.create('lines', 1000)))).toBe(
      'REQUEST_TIMED_OUT: the quorum did not commit it within 1000 ms; the outcome is unknown',
    );
  });

  it('fails with its outcome unknown when the controller leaves office, and is not there if it was not committed', async () => {
    const f = new Fixture(2);
    f.quorum.elect(0);
    await f.start(1);
    f.quorum.commits = false;
    const created = codeOf(f.create('lines'));
    f.quorum.elect(1);
    expect(await created).toMatch(/NOT_CONTROLLER: .* the outcome is unknown, it may still take effect/);
    f.quorum.commits = true;
    const broker = await f.start(2);
    expect(f.active.image().topics.find('lines')).toBeUndefined();
    const again = f.create('lines');
    await f.run(5);
    broker.heartbeat(f.quorum.highWatermark);
    expect((await f.finish(again)).topics[0]?.error).toBe('NONE');
  });
});

describe('a controlled shutdown', () => {
  it('is granted through the session once the others know', async () => {
    const f = new Fixture();
    f.quorum.elect(0);
    const [one, two] = [await f.start(1), await f.start(2)];
    const topics = [topicRequest('lines', { assignments: [[1, 2]] })];
    const created = f.active.createTopics({ topics, validateOnly: false, timeoutMs: 1000 });
    await f.run(5);
    for (const broker of [one, two]) broker.heartbeat(f.quorum.highWatermark);
    await f.finish(created);
    const ask = async () => {
      one.heartbeat(f.quorum.highWatermark, { wantShutdown: true });
      await f.run(5);
      return one.replies.at(-1)?.shouldShutdown;
    };
    expect(await ask()).toBe(false);
    expect(await ask()).toBe(false);
    two.heartbeat(f.quorum.highWatermark);
    expect(await ask()).toBe(true);
    expect(f.active.image().topics.find('lines')?.partitions[0]).toMatchObject({ leader: 2, isr: [2] });
    expect(f.isFenced(1)).toBe(true);
  });
});
