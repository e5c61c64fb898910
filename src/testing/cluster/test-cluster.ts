/**
 * A real cluster inside one test process: elections, replication, files, gRPC over loopback, with `kill -9` per node.
 *
 *     await using cluster = await startCluster({ controllers: 3, brokers: 3 });
 *
 * It is ready when `startCluster` resolves: every broker is registered and unfenced. Files lie in a temporary directory
 * and are removed at the end.
 */
import { assert, type NodeId, type PartitionId, StartupError } from '../../base/index.ts';
import {
  type Client,
  type ClientSettings,
  type ConsumedRecord,
  createClient,
  type Producer,
  type ProducerOptions,
} from '../../client/index.ts';
import { type Environment, type Logger, SILENT, sleep } from '../../env/index.ts';
import { createNodeEnvironment, freePorts, makeTemporaryDirectory } from '../../env/node/index.ts';
import { levelStores } from '../../raft/index.ts';
import type { PartitionDescription } from '../../rpc/api/index.ts';
import { createGrpcTransport } from '../../rpc/grpc/index.ts';
import { formatCluster, LocalCluster, layoutCluster, type NodePlan } from '../../server/index.ts';
import type { ClusterClock } from './faults/cluster-clock.ts';
import { ClusterFaults, type Fault } from './faults/cluster-faults.ts';
import type { Drop, DropWhat } from './faults/drops.ts';
import type { Place } from './faults/links.ts';
import { type ClusterNode, type NodeEnd, NodeWorlds } from './node-worlds.ts';

export interface StartClusterOptions {
  /** Default 3. */
  readonly controllers?: number;
  /** Default 3. */
  readonly brokers?: number;
  /** Data directories of each broker. Default 1. */
  readonly logDirs?: number;
  /** Configuration of every node, by Kafka's keys. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where nodes log. Default: nowhere. */
  readonly logger?: Logger;
  /** Puts something between a node and its world, at each start of it: a disk that fills, say. Default: nothing. */
  readonly environmentOf?: (node: ClusterNode, environment: Environment) => Environment;
}

/** Pause between two looks at a condition that something else brings about. */
const POLL_MS = 10;
const WAIT_MS_MAX = 30_000;

export async function startCluster(options: StartClusterOptions = {}): Promise<TestCluster> {
  const { controllers = 3, brokers = 3, settings = {}, logger = SILENT, logDirs = 1 } = options;
  const { environmentOf = (_node, world) => world } = options;
  const environment = createNodeEnvironment({ stores: levelStores(), logger });
  const directory = await makeTemporaryDirectory('quorate-test-');
  const ports = await freePorts(2 * brokers + controllers);
  const plan = layoutCluster({
    directory,
    controllers,
    brokers,
    host: '127.0.0.1',
    ports,
    settings,
    logDirs,
  });
  const faults = new ClusterFaults({ nodes: plan.nodes, environment });
  const worlds = new NodeWorlds({ logger, faults, environmentOf, onEnd: (id) => cluster.forget(id) });
  const cluster = new LocalCluster({ plan, worldOf: (node) => worlds.make(node) });
  try {
    await formatCluster(plan, environment);
    await cluster.start();
  } catch (error) {
    await environment.files.removeDirectory(directory);
    throw error;
  }
  return new TestCluster({ cluster, worlds, faults, environment, directory });
}

interface TestClusterParts {
  readonly cluster: LocalCluster;
  readonly worlds: NodeWorlds;
  readonly faults: ClusterFaults;
  readonly environment: Environment;
  readonly directory: string;
}

export class TestCluster implements AsyncDisposable {
  /** `host:port` of every broker. */
  readonly bootstrap: string;
  /** A client of this cluster, closed with it. */
  readonly client: Client;
  readonly #cluster: LocalCluster;
  readonly #worlds: NodeWorlds;
  readonly #faults: ClusterFaults;
  readonly #clients = new Set<Client>();
  readonly #environment: Environment;
  readonly #directory: string;
  #stopping: Promise<void> | undefined;

  /** Use {@link startCluster}. */
  constructor({ cluster, worlds, faults, environment, directory }: TestClusterParts) {
    this.#cluster = cluster;
    this.#worlds = worlds;
    this.#faults = faults;
    this.#environment = environment;
    this.#directory = directory;
    this.bootstrap = cluster.plan.bootstrap;
    this.client = this.createClient({ clientId: 'test' });
  }

  /** Another client, closed with the cluster. Faults between nodes and 'clients' meet all clients made here. */
  createClient(settings: Partial<ClientSettings> = {}): Client {
    const { clock, timers, random, logger } = this.#environment;
    const transport = this.#faults.transport('clients', createGrpcTransport({ logger }), timers);
    const client = createClient({
      bootstrap: this.bootstrap,
      ...settings,
      transport,
      environment: { clock, timers, random, logger },
      onClosed: async () => {
        this.#clients.delete(client);
        await transport.close();
      },
    });
    this.#clients.add(client);
    return client;
  }

  get admin(): Client['admin'] {
    return this.client.admin;
  }

  producer(options?: ProducerOptions): Producer {
    return this.client.producer(options);
  }

  /** Every committed record of the topic, by partition and offset. */
  async readAll(topic: string): Promise<ConsumedRecord[]> {
    await using consumer = this.client.consumer({ topic, from: 'beginning' });
    const records: ConsumedRecord[] = [];
    for await (const record of consumer.untilEnd()) records.push(record);
    return records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
  }

  /** The broker that leads the partition, waiting for one to be elected. */
  async leaderOf(topic: string, partition: PartitionId): Promise<NodeId> {
    const led = await this.until(`a leader of ${topic}-${partition}`, async () => {
      const description = await this.partitionOf(topic, partition);
      return description !== undefined && description.leaderId >= 0 ? description : undefined;
    });
    return led.leaderId;
  }

  /** The partition as a live broker describes it. */
  async partitionOf(topic: string, partition: PartitionId): Promise<PartitionDescription | undefined> {
    return (await this.admin.describeTopic(topic)).partitions[partition];
  }

  /** The controller that is active, waiting for one to be elected. */
  activeController(): Promise<NodeId> {
    return this.until(
      'an active controller',
      async () => this.#cluster.runningNodes().find((node) => node.controller?.isActive)?.config.nodeId,
    );
  }

  /** Ends a node as `kill -9` would: no word to anybody, nothing flushed, its connections broken. */
  async kill(id: NodeId): Promise<void> {
    assert(this.isRunning(id), 'only a running node can be killed', { id });
    this.#cluster.forget(id);
    await this.#worlds.kill(id);
  }

  /** Stops a node in order: a broker hands its leaderships over first. */
  stop(id: NodeId): Promise<void> {
    assert(!this.#faults.isPaused(id), 'a paused node cannot be stopped in order', { id });
    return this.#cluster.stopNode(id, { controlled: true });
  }

  /** Starts a killed, stopped or ended node again on its data; resolves when it is ready, rejects when it ends itself. */
  async start(id: NodeId): Promise<void> {
    await this.#worlds.freed(id);
    const ready = this.#cluster.startNode(id).then((node) => node.ready);
    await Promise.race([ready, this.#worlds.ended(id)]);
  }

  /** Stops a node in order and starts it again. */
  async restart(id: NodeId): Promise<void> {
    await this.stop(id);
    await this.start(id);
  }

  /** The power of these nodes fails at once: they die, and what they had not synced is lost. Gives how many bytes that was. */
  async loseUnsynced(...ids: readonly NodeId[]): Promise<number> {
    await Promise.all(ids.filter((id) => this.isRunning(id)).map((id) => this.kill(id)));
    await Promise.all(ids.map((id) => this.#worlds.freed(id)));
    const lost = await Promise.all(ids.map((id) => this.#faults.loseUnsynced(id)));
    return lost.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Nothing goes between the sides any more, neither way. Whoever is in no side reaches all, and is reached. */
  partition(...sides: readonly (readonly Place[])[]): Fault {
    return this.#faults.partition(sides);
  }

  /** Nothing goes from any of `from` to any of `to`; what comes back still does. */
  block(from: readonly Place[], to: readonly Place[]): Fault {
    return this.#faults.block(from, to);
  }

  /** Nobody reaches the node, the clients included, and it reaches nobody. */
  isolate(id: NodeId): Fault {
    return this.#faults.isolate(id);
  }

  /** As SIGSTOP: its timers, disk and messages stand still. docs/testing/faults.md tells what cannot. */
  pause(id: NodeId): Fault {
    assert(this.isRunning(id), 'only a running node can be paused', { id });
    return this.#faults.pause(id);
  }

  /** As SIGCONT: what waited goes on. */
  resume(id: NodeId): void {
    this.#faults.resume(id);
  }

  /** Each operation on the node's disks takes `slowMs` longer. */
  slowDisk(id: NodeId, slowMs: number): Fault {
    return this.#faults.slowDisk(id, slowMs);
  }

  /** The node's disks take `leftBytes` more. A node that ends for want of room is started again by the test. */
  fullDisk(id: NodeId, leftBytes = 0): Fault {
    return this.#faults.fullDisk(id, leftBytes);
  }

  /** All data directories of the node, or those named, fail with an i/o error. */
  failDisk(id: NodeId, ...directories: readonly string[]): Fault {
    return this.#faults.failDisk(id, directories.length > 0 ? directories : this.directoriesOf(id));
  }

  /** The next such message is lost, and its call fails as calls of a broken connection do. */
  dropNext(what: DropWhat): Drop {
    return this.#faults.dropNext(what);
  }

  /** The dates of the nodes. */
  get clock(): ClusterClock {
    return this.#faults.clock;
  }

  /** Ends every fault. What is down stays down: `start` it. */
  heal(): void {
    this.#faults.heal();
  }

  /** How the node ended itself; undefined when it did not, or was started again since. */
  endOf(id: NodeId): NodeEnd | undefined {
    return this.#worlds.endOf(id);
  }

  isRunning(id: NodeId): boolean {
    return this.#cluster.node(id) !== undefined;
  }

  /** Ids of all brokers, running or not. */
  get brokers(): readonly NodeId[] {
    return this.#idsOf('broker');
  }

  /** Ids of all controllers, running or not. */
  get controllers(): readonly NodeId[] {
    return this.#idsOf('controller');
  }

  /** All data directories of a node. */
  directoriesOf(id: NodeId): readonly string[] {
    return this.#cluster.planOf(id).directories;
  }

  /** The data directory of a node, or the first of several. */
  directoryOf(id: NodeId): string {
    return this.#cluster.planOf(id).directory;
  }

  /** Resolves with what `look` finds once it finds something; StartupError names `what` after 30 s. */
  async until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const { clock, timers } = this.#environment;
    for (const deadlineMs = clock.monotonicMs() + WAIT_MS_MAX; ; await sleep(timers, POLL_MS)) {
      const found = await look().catch(() => undefined);
      if (found !== undefined) return found;
      if (clock.monotonicMs() > deadlineMs)
        throw new StartupError(`waited ${WAIT_MS_MAX} ms in vain for ${what}`);
    }
  }

  close(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.heal();
    await Promise.all([...this.#clients].map((client) => client.close({ timeoutMs: 0 })));
    await this.#cluster.stop({ controlled: false });
    await Promise.all(this.#cluster.plan.nodes.map(({ id }) => this.#worlds.freed(id)));
    await this.#environment.files.removeDirectory(this.#directory);
  }

  #idsOf(role: NodePlan['role']): NodeId[] {
    return this.#cluster.plan.nodes.filter((node) => node.role === role).map((node) => node.id);
  }
}
