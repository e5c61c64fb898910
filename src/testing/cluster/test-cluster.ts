/**
 * A real cluster inside one test process: elections, replication, files, gRPC over loopback, with `kill -9` per node.
 *
 *     await using cluster = await startCluster({ controllers: 3, brokers: 3 });
 *
 * It is ready when `startCluster` resolves: every broker is registered and unfenced. Files lie in a temporary directory
 * and are removed at the end.
 */
import { assert, type NodeId, type PartitionId, StartupError } from '../../base/index.ts';
import type { Client, ConsumedRecord, Producer, ProducerOptions } from '../../client/index.ts';
import { type Environment, type FatalReason, type Logger, SILENT, sleep } from '../../env/index.ts';
import { createNodeEnvironment, freePorts, makeTemporaryDirectory } from '../../env/node/index.ts';
import { createClient } from '../../index.ts';
import { levelStores } from '../../raft/index.ts';
import type { PartitionDescription, Transport } from '../../rpc/api/index.ts';
import { createGrpcTransport } from '../../rpc/grpc/index.ts';
import {
  formatCluster,
  LocalCluster,
  layoutCluster,
  type NodePlan,
  type NodeWorld,
} from '../../server/index.ts';
import { KillSwitch } from './kill-switch.ts';

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

export interface ClusterNode {
  readonly id: NodeId;
  readonly role: 'broker' | 'controller';
}

/** Why a node ended itself. */
export interface NodeEnd {
  readonly reason: FatalReason;
  readonly error: unknown;
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
  const worlds = new KillableWorlds({ logger, environmentOf, onEnd: (id) => cluster.forget(id) });
  const cluster = new LocalCluster({ plan, worldOf: (node) => worlds.make(node) });
  try {
    await formatCluster(plan, environment);
    await cluster.start();
  } catch (error) {
    await environment.files.removeDirectory(directory);
    throw error;
  }
  return new TestCluster({ cluster, worlds, environment, directory });
}

interface TestClusterParts {
  readonly cluster: LocalCluster;
  readonly worlds: KillableWorlds;
  readonly environment: Environment;
  readonly directory: string;
}

export class TestCluster implements AsyncDisposable {
  /** `host:port` of every broker. */
  readonly bootstrap: string;
  /** A client of this cluster, closed with it. */
  readonly client: Client;
  readonly #cluster: LocalCluster;
  readonly #worlds: KillableWorlds;
  readonly #environment: Environment;
  readonly #directory: string;
  #stopping: Promise<void> | undefined;

  /** Use {@link startCluster}. */
  constructor({ cluster, worlds, environment, directory }: TestClusterParts) {
    this.#cluster = cluster;
    this.#worlds = worlds;
    this.#environment = environment;
    this.#directory = directory;
    this.bootstrap = cluster.plan.bootstrap;
    this.client = createClient({ bootstrap: this.bootstrap, clientId: 'test' });
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
      const description = await this.partition(topic, partition);
      return description !== undefined && description.leaderId >= 0 ? description : undefined;
    });
    return led.leaderId;
  }

  /** The partition as a live broker describes it. */
  async partition(topic: string, partition: PartitionId): Promise<PartitionDescription | undefined> {
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
    return this.#cluster.stopNode(id, { controlled: true });
  }

  /** Starts a killed, stopped or ended node again on its data; resolves when it is ready, rejects when it ends itself. */
  async start(id: NodeId): Promise<void> {
    await this.#worlds.freed(id);
    const ready = this.#cluster.startNode(id).then((node) => node.ready);
    await Promise.race([ready, this.#worlds.ended(id)]);
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
    await this.client.close({ timeoutMs: 0 });
    await this.#cluster.stop({ controlled: false });
    await Promise.all(this.#cluster.plan.nodes.map(({ id }) => this.#worlds.freed(id)));
    await this.#environment.files.removeDirectory(this.#directory);
  }

  #idsOf(role: NodePlan['role']): NodeId[] {
    return this.#cluster.plan.nodes.filter((node) => node.role === role).map((node) => node.id);
  }
}

interface WorldsOptions {
  readonly logger: Logger;
  readonly environmentOf: (node: ClusterNode, environment: Environment) => Environment;
  /** A node ended itself: as dead as if it had been killed. */
  readonly onEnd: (id: NodeId) => void;
}

interface World {
  readonly transport: Transport;
  readonly kill: KillSwitch;
  /** Rejects with a StartupError when the node ends itself. */
  readonly ended: Promise<never>;
  end?: NodeEnd;
  /** What the node held is free again. */
  freed?: Promise<void>;
}

/** The world of each node, with a way to take it away at once. */
class KillableWorlds {
  readonly #options: WorldsOptions;
  readonly #worlds = new Map<NodeId, World>();

  constructor(options: WorldsOptions) {
    this.#options = options;
  }

  make(node: NodePlan): NodeWorld {
    const { environmentOf, onEnd } = this.#options;
    const logger = this.#options.logger.child({ node: node.name });
    const kill = new KillSwitch();
    const transport = createGrpcTransport({ logger });
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    const world: World = { transport, kill, ended: promise };
    this.#worlds.set(node.id, world);
    const fatal = (reason: FatalReason, error: unknown): void => {
      if (world.end !== undefined) return;
      world.end = { reason, error };
      onEnd(node.id);
      void this.kill(node.id);
      reject(new StartupError(`${node.name} ended itself: ${reason}: ${String(error)}`));
    };
    const environment = createNodeEnvironment({ stores: levelStores(), logger, exit: { fatal } });
    return { environment: kill.wrap(environmentOf(node, environment)), transport };
  }

  endOf(id: NodeId): NodeEnd | undefined {
    return this.#worlds.get(id)?.end;
  }

  /** Of the start under way or last begun. */
  ended(id: NodeId): Promise<never> {
    const world = this.#worlds.get(id);
    assert(world !== undefined, 'a node that was started has a world', { id });
    return world.ended;
  }

  /** Resolves when a node that was killed or ended holds nothing any more. */
  async freed(id: NodeId): Promise<void> {
    await this.#worlds.get(id)?.freed;
  }

  kill(id: NodeId): Promise<void> {
    const world = this.#worlds.get(id);
    if (world === undefined) return Promise.resolve();
    world.freed ??= Promise.all([world.transport.close(), world.kill.kill()]).then(() => {});
    return world.freed;
  }
}
