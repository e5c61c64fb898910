/** Controllers and brokers of one cluster, whole, over a network in memory and in virtual time. */
import { type NodeId, SeededRandom, uuidFromBytes } from '../../src/base/index.ts';
import { type Broker, brokerConfig, openBroker } from '../../src/broker/index.ts';
import type { DataDirectory } from '../../src/log/index.ts';
import { ControllerNode } from '../../src/metadata/index.ts';
import {
  DEFAULT_QUORUM_TIMEOUTS,
  formatQuorumStore,
  openQuorumStore,
  openRaftNode,
  type RaftNode,
} from '../../src/raft/index.ts';
import type { AdminService, BrokerService, ServedServices, Transport } from '../../src/rpc/api/index.ts';
import { createMemoryNetwork, type MemoryNetwork } from '../../src/rpc/memory/index.ts';
import {
  createTestEnvironment,
  Scheduler,
  type TestEnvironment,
  VirtualTimers,
} from '../../src/testing/twins/index.ts';
import { CLUSTER_ID } from './fixture.ts';

export interface ClusterOptions {
  readonly controllers: number;
  readonly brokers: number;
  readonly properties?: Readonly<Record<string, string>>;
  /** One way, between any two nodes. */
  readonly delayMs?: number;
  readonly seed?: number;
  /** How long a write or sync may take; absent: no time at all. */
  readonly diskMs?: number;
  /** Data directories of each broker; absent: one. */
  readonly logDirs?: number;
}

export interface BrokerNode {
  readonly id: NodeId;
  readonly environment: TestEnvironment;
  readonly broker: Broker;
  readonly raft: RaftNode;
}

const CONTROLLER_IDS = 100;
export const directoryIdOf = (id: NodeId, index = 0) =>
  uuidFromBytes(Uint8Array.from({ length: 16 }, (_, i) => id + i * (1 + index)));
const addressOf = (id: NodeId, kind: 'client' | 'replica' | 'controller') => ({
  host: `node${id}`,
  port: { client: 9092, replica: 9093, controller: 9094 }[kind],
});

export class TestCluster {
  readonly scheduler: Scheduler;
  readonly network: MemoryNetwork;
  readonly brokers = new Map<NodeId, BrokerNode>();
  /** Of brokers that have others than the options say, from their next start on. */
  readonly directories = new Map<NodeId, readonly DataDirectory[]>();
  readonly #controllers = new Map<
    NodeId,
    { environment: TestEnvironment; node: ControllerNode; raft: RaftNode }
  >();
  readonly #environments = new Map<NodeId, TestEnvironment>();
  readonly #options: ClusterOptions;
  readonly #ended: string[] = [];

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { delayMs = 0.5, seed = 7 } = options;
    this.scheduler = new Scheduler({ random: new SeededRandom(seed, 'schedule') });
    const timers = new VirtualTimers(this.scheduler);
    const random = new SeededRandom(seed, 'network');
    this.network = createMemoryNetwork({ timers, random, delayMs: () => delayMs * (0.5 + random.float()) });
  }

  /** Starts all controllers, then all brokers, and waits until these are ready. */
  async start(): Promise<this> {
    const standing = this.controllerIds.map((id) => this.startController(id));
    await this.scheduler.finish(Promise.all(standing), 30_000);
    const led = await this.scheduler.runUntil(() => this.activeController() !== undefined, 30_000);
    if (!led) throw new Error('no active controller');
    const started: Promise<BrokerNode>[] = [];
    for (let id = 1; id <= this.#options.brokers; id++) started.push(this.startBroker(id));
    const nodes = await this.scheduler.finish(Promise.all(started), 30_000);
    await this.scheduler.finish(Promise.all(nodes.map(({ broker }) => broker.ready)), 30_000);
    return this;
  }

  get controllerIds(): NodeId[] {
    return Array.from({ length: this.#options.controllers }, (_, i) => CONTROLLER_IDS + i);
  }

  activeController(): NodeId | undefined {
    return this.controllerIds.find((id) => this.#controllers.get(id)?.node.isActive);
  }

  get(id: NodeId): BrokerNode {
    const node = this.brokers.get(id);
    if (node === undefined) throw new Error(`broker ${id} is not running`);
    return node;
  }

  /** What a client connected to broker `id` has. */
  client(id: NodeId): { readonly broker: BrokerService; readonly admin: AdminService } {
    return this.network.transport('client').connect(addressOf(id, 'client'));
  }

  run<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    return this.scheduler.finish(promise, limitMs);
  }

  async startController(id: NodeId): Promise<void> {
    const { environment, transport, raft } = await this.#startRaft(id, 'voter');
    const node = new ControllerNode({
      raft,
      environment,
      config: {
        brokerHeartbeatIntervalMs: 2_000,
        brokerSessionTimeoutMs: 9_000,
        brokerDisconnectGraceMs: 500,
        metadataMaxIdleIntervalMs: 500,
        requestTimeoutMs: 30_000,
        numPartitions: 1,
        defaultReplicationFactor: 1,
        deleteTopicEnable: true,
        staticConfig: this.#options.properties ?? {},
      },
    });
    node.start();
    this.#controllers.set(id, { environment, node, raft });
    await transport.serve(addressOf(id, 'controller'), {
      quorum: raft.service,
      controller: node,
    } as ServedServices);
  }

  async startBroker(id: NodeId): Promise<BrokerNode> {
    const { environment, transport, raft } = await this.#startRaft(id, 'observer');
    const broker = await openBroker({
      nodeId: id,
      clusterId: CLUSTER_ID,
      config: brokerConfig(this.#options.properties ?? {}),
      environment,
      raft,
      transport,
      logs: { directories: this.directoriesOf(id) },
      listeners: [
        { name: 'client', ...addressOf(id, 'client') },
        { name: 'replica', ...addressOf(id, 'replica') },
      ],
      controllerEndpoints: (controller) => addressOf(controller, 'controller'),
    });
    await transport.serve(addressOf(id, 'client'), { broker: broker.broker, admin: broker.admin });
    await transport.serve(addressOf(id, 'replica'), { replica: broker.replica, broker: broker.broker });
    const node = { id, environment, broker, raft };
    this.brokers.set(id, node);
    return node;
  }

  /** Of a node that has been started once; its disk is there while the node is down. */
  environmentOf(id: NodeId): TestEnvironment {
    const environment = this.#environments.get(id);
    if (environment === undefined) throw new Error(`node ${id} was never started`);
    return environment;
  }

  directoriesOf(id: NodeId): readonly DataDirectory[] {
    const { logDirs = 1 } = this.#options;
    const some = Array.from({ length: logDirs }, (_, i) => ({
      path: i === 0 ? '/data/logs' : `/data/logs${i}`,
      id: directoryIdOf(id, i),
    }));
    return this.directories.get(id) ?? some;
  }

  isUp(id: NodeId): boolean {
    return this.brokers.has(id) || this.#controllers.has(id);
  }

  /** kill -9: the disk stays. With `power` it loses what was not synced. */
  kill(id: NodeId, power = false): void {
    this.network.kill(`node${id}`);
    const environment = this.#environments.get(id);
    if (environment !== undefined) {
      this.#ended.push(...this.fatalsOf(id, environment));
      this.#environments.set(id, power ? environment.crash() : environment.kill());
    }
    this.brokers.delete(id);
    this.#controllers.delete(id);
  }

  async stopBroker(id: NodeId, controlled: boolean): Promise<void> {
    const { broker, raft } = this.get(id);
    await broker.shutdown({ controlled });
    await raft.close({ graceful: false, timeoutMs: 0 });
    this.kill(id);
  }

  /** Fatal ends of any node, as text. */
  fatals(): string[] {
    const running = [...this.#environments].flatMap(([id, environment]) => this.fatalsOf(id, environment));
    return [...this.#ended, ...running];
  }

  fatalsOf(id: NodeId, { exit }: TestEnvironment): string[] {
    return exit.ends.map(({ reason, error }) => `${id}: ${reason}: ${String(error)}`);
  }

  async #startRaft(id: NodeId, role: 'voter' | 'observer') {
    const { scheduler } = this;
    const { seed = 7, diskMs } = this.#options;
    const random = new SeededRandom(seed, `disk${id}`);
    const disk = { scheduler, delayMs: () => (diskMs ?? 0) * random.float() };
    const environment =
      this.#environments.get(id) ??
      createTestEnvironment({
        seed,
        scheduler,
        name: `node${id}`,
        ...(diskMs === undefined ? {} : { disk }),
      });
    this.#environments.set(id, environment);
    const transport: Transport = this.network.transport(`node${id}`);
    const { files, stores } = environment;
    const directory = '/data/metadata';
    const voters = this.controllerIds.map((voter) => ({ id: voter, directoryId: directoryIdOf(voter) }));
    const format = { directory, clusterId: CLUSTER_ID, directoryId: directoryIdOf(id), nodeId: id, voters };
    let opened = await openQuorumStore({ directory, files, stores });
    if (opened.kind === 'empty') {
      await formatQuorumStore({ ...format, files, stores });
      opened = await openQuorumStore({ directory, files, stores });
    }
    if (opened.kind !== 'open') throw new Error(`store of ${id} is ${opened.kind}`);
    const raft = await openRaftNode({
      nodeId: id,
      store: opened.store,
      environment,
      timeouts: DEFAULT_QUORUM_TIMEOUTS,
      voters: this.controllerIds.map((voter) => ({ id: voter, endpoint: addressOf(voter, 'controller') })),
      peers: (_voter, endpoint) => transport.connect(endpoint).quorum,
      role,
      advertised: addressOf(id, 'controller'),
    });
    return { environment, transport, raft };
  }
}
