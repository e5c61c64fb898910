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
import { type Environment, type Logger, SILENT, sleep } from '../../env/index.ts';
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
  /** Configuration of every node, by Kafka's keys. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where nodes log. Default: nowhere. */
  readonly logger?: Logger;
}

/** Pause between two looks at a condition that something else brings about. */
const POLL_MS = 10;
const WAIT_MS_MAX = 30_000;

export async function startCluster(options: StartClusterOptions = {}): Promise<TestCluster> {
  const { controllers = 3, brokers = 3, settings = {}, logger = SILENT } = options;
  const environment = createNodeEnvironment({ stores: levelStores(), logger });
  const directory = await makeTemporaryDirectory('quorate-test-');
  const ports = await freePorts(2 * brokers + controllers);
  const plan = layoutCluster({ directory, controllers, brokers, host: '127.0.0.1', ports, settings });
  const worlds = new KillableWorlds(logger);
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

  /** Starts a killed or stopped node again on its data; resolves when it is ready. */
  async start(id: NodeId): Promise<void> {
    const node = await this.#cluster.startNode(id);
    await node.ready;
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

  /** The data directory of a node. */
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
    await this.#environment.files.removeDirectory(this.#directory);
  }

  #idsOf(role: NodePlan['role']): NodeId[] {
    return this.#cluster.plan.nodes.filter((node) => node.role === role).map((node) => node.id);
  }
}

/** The world of each node, with a way to take it away at once. */
class KillableWorlds {
  readonly #logger: Logger;
  readonly #worlds = new Map<NodeId, { readonly kill: KillSwitch; readonly transport: Transport }>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  make(node: NodePlan): NodeWorld {
    const logger = this.#logger.child({ node: node.name });
    const kill = new KillSwitch();
    const transport = createGrpcTransport({ logger });
    this.#worlds.set(node.id, { kill, transport });
    const exit = { fatal: () => void this.kill(node.id) };
    const environment = createNodeEnvironment({ stores: levelStores(), logger, exit });
    return { environment: kill.wrap(environment), transport };
  }

  async kill(id: NodeId): Promise<void> {
    const world = this.#worlds.get(id);
    this.#worlds.delete(id);
    await Promise.all([world?.transport.close(), world?.kill.kill()]);
  }
}
