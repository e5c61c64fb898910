/**
 * Brokers reduced to their replicas, on real logs over memory twins, joined by the memory network, with a controller of a
 * few lines: it keeps the image, answers AlterPartition by the published rules, and tells the brokers when asked to.
 */
import {
  ApiError,
  type ErrorCode,
  type NodeId,
  type Offset,
  SeededRandom,
  type Uuid,
} from '../../../src/base/index.ts';
import { brokerConfig } from '../../../src/broker/config.ts';
import { type Partition, ReplicaManager } from '../../../src/broker/replica/index.ts';
import {
  type DataDirectory,
  DEFAULT_LOG_CONFIG,
  type LogManager,
  openLogManager,
} from '../../../src/log/index.ts';
import { BatchBuilder, decodeRecords } from '../../../src/log/record/index.ts';
import { type DecideContext, decideAssignDirectories } from '../../../src/metadata/controller/index.ts';
import { recordsForLostDirectories } from '../../../src/metadata/controller/leadership.ts';
import {
  advance,
  deltaFromEmpty,
  deltaOf,
  EMPTY_IMAGE,
  isDirectoryOnline,
  type MetadataImage,
  type MetadataRecord,
  type PartitionRegistration,
  replay,
} from '../../../src/metadata/index.ts';
import type {
  Acks,
  AlteredPartition,
  AlterPartitionReply,
  AlterPartitionRequest,
  AssignReplicasToDirsReply,
  AssignReplicasToDirsRequest,
  Transport,
} from '../../../src/rpc/api/index.ts';
import { createMemoryNetwork, type MemoryNetwork } from '../../../src/rpc/memory/index.ts';
import { createTestEnvironment, Scheduler, type TestEnvironment } from '../../../src/testing/twins/index.ts';

export const TOPIC = 'orders';
export const TOPIC_ID: Uuid = 'b3JkZXJzLW9yZGVycy1vcg';
export const DIRECTORY: Uuid = 'ZGlyZWN0b3J5LW9uZS1vbg';

export interface ClusterOptions {
  readonly seed?: number;
  readonly brokers?: number;
  readonly properties?: Record<string, string>;
  readonly delayMs?: number;
  /** Virtual milliseconds of a disk operation. */
  readonly diskMs?: (operation: string) => number;
}

export class TestBroker {
  readonly id: NodeId;
  environment: TestEnvironment;
  epoch: number;
  logs!: LogManager;
  manager!: ReplicaManager;
  alive = false;
  /** The image it was told last. */
  seen: MetadataImage = EMPTY_IMAGE;
  /** Told of changes only when asked to. */
  held = false;
  directories: readonly DataDirectory[] = [{ path: 'data', id: DIRECTORY }];
  readonly #cluster: TestCluster;

  constructor(cluster: TestCluster, id: NodeId, environment: TestEnvironment) {
    this.#cluster = cluster;
    this.id = id;
    this.environment = environment;
    this.epoch = 0;
  }

  /** `quiet`: metadata come only when asked for. */
  async start(options: { readonly quiet?: boolean } = {}): Promise<void> {
    const { cluster, transport } = { cluster: this.#cluster, transport: this.#cluster.transport(this.id) };
    this.epoch = cluster.register(this.id);
    const { environment } = this;
    this.logs = await openLogManager({
      directories: this.directories,
      environment,
      defaults: DEFAULT_LOG_CONFIG,
      tailCacheBytes: 1 << 20,
    });
    const manager = new ReplicaManager({
      nodeId: this.id,
      brokerEpoch: () => this.epoch,
      logs: this.logs,
      environment,
      config: brokerConfig(cluster.properties),
      alterPartition: (request) => cluster.alterPartition(request),
      assignReplicasToDirs: (request) => cluster.assignReplicasToDirs(request),
      directoriesFailed: (offline) => cluster.loseDirectories(this.id, offline),
      connect: (nodeId) => transport.connect({ host: `broker-${nodeId}`, port: 9000 }),
    });
    this.manager = manager;
    await transport.serve(
      { host: `broker-${this.id}`, port: 9000 },
      {
        replica: {
          replicaFetch: (replies, call) => manager.replicaFetch(replies, call),
          deleteRecords: async ({ partitions, timeoutMs }) => ({
            partitions: await manager.deleteRecords(partitions, timeoutMs),
          }),
          logDigest: () => Promise.reject(new Error('not part of this test')),
          imageDigest: () => Promise.reject(new ApiError('INVALID_REQUEST')),
        },
      },
    );
    this.alive = true;
    this.seen = EMPTY_IMAGE;
    if (options.quiet !== true) this.tell();
    await manager.settled();
  }

  /** Publishes everything it has not been told. */
  tell(): void {
    if (!this.alive) return;
    const records = this.#cluster.recordsSince(this.seen.offset);
    const { image } = this.#cluster;
    const delta = this.seen === EMPTY_IMAGE ? deltaFromEmpty(image) : deltaOf(this.seen, image, records);
    this.seen = image;
    this.manager.publish(delta, image);
  }

  /** The process dies: `power` takes what was not synced with it. Its peers see broken connections. */
  kill(power: 'power' | 'process' = 'power'): void {
    this.alive = false;
    this.#cluster.network.kill(`broker-${this.id}`);
    this.environment = power === 'power' ? this.environment.crash() : this.environment.kill();
  }

  replica(partition = 0): Partition {
    const found = this.manager.find(TOPIC, partition);
    if (found === undefined) throw new Error(`broker ${this.id} has no replica`);
    return found;
  }

  async produce(values: string[], options: { acks?: Acks; timeoutMs?: number; partition?: number } = {}) {
    const { acks = -1, timeoutMs = 1000, partition = 0 } = options;
    const [reply] = await this.manager.append({
      acks,
      timeoutMs,
      batches: [{ topic: TOPIC, partition, batch: batchOf(values) }],
    });
    if (reply === undefined) throw new Error('no reply');
    return reply;
  }

  /** Values of the log from its start, committed or not, with their offsets and epochs. */
  contents(partition = 0, upperBound?: Offset): Promise<string[]> {
    return this.#cluster.finish(this.#read(partition, upperBound));
  }

  async #read(partition: number, upperBound: Offset | undefined): Promise<string[]> {
    const { log } = this.replica(partition);
    const found: string[] = [];
    let offset = log.logStartOffset;
    const end = upperBound ?? log.logEndOffset;
    while (offset < end) {
      const { batches } = await log.read(offset, { maxBytes: 1 << 20, upperBound: end, atLeastOne: true });
      const before = offset;
      for (const bytes of batches)
        for (let at = 0; at < bytes.length; ) {
          const size = 12 + Buffer.from(bytes.buffer, bytes.byteOffset).readInt32BE(at + 8);
          for (const record of decodeRecords(bytes.subarray(at, at + size))) {
            if (record.offset < offset) continue;
            found.push(Buffer.from(record.value ?? []).toString());
            offset = record.offset + 1;
          }
          at += size;
        }
      if (offset === before) break;
    }
    return found;
  }
}

export class TestCluster {
  readonly scheduler: Scheduler;
  readonly network: MemoryNetwork;
  readonly properties: Record<string, string>;
  readonly brokers: TestBroker[] = [];
  image: MetadataImage = EMPTY_IMAGE;
  /** Answers in place of the controller, once each. */
  readonly alterFailures: (Error | ErrorCode)[] = [];
  readonly altered: AlterPartitionRequest[] = [];
  readonly assigned: AssignReplicasToDirsRequest[] = [];
  /** Answers in place of the controller, once each. */
  readonly assignFailures: Error[] = [];
  readonly #records: MetadataRecord[] = [];
  #incarnations = 0;

  constructor(options: ClusterOptions = {}) {
    const seed = options.seed ?? 1;
    this.scheduler = new Scheduler({ random: new SeededRandom(seed, 'schedule') });
    const { scheduler } = this;
    this.properties = options.properties ?? {};
    this.network = createMemoryNetwork({
      timers: { after: (delayMs, task) => scheduler.after(delayMs, task) },
      delayMs: () => options.delayMs ?? 1,
      random: new SeededRandom(seed, 'network'),
    });
    const diskMs = options.diskMs ?? (() => 0.5);
    for (let id = 1; id <= (options.brokers ?? 3); id++) {
      const name = `broker-${id}`;
      const disk = { scheduler, delayMs: diskMs };
      this.brokers.push(new TestBroker(this, id, createTestEnvironment({ seed, scheduler, name, disk })));
    }
  }

  /** All brokers running, and one topic: one partition, or as many as `assignments` names. */
  static async start(
    options: ClusterOptions & { assignments?: number[][]; configs?: Record<string, string> } = {},
  ): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    await cluster.finish(Promise.all(cluster.brokers.map((broker) => broker.start())));
    const ids = cluster.brokers.map(({ id }) => id);
    cluster.createTopic(options.assignments ?? [ids], options.configs);
    await cluster.settled();
    return cluster;
  }

  transport(id: NodeId): Transport {
    return this.network.transport(`broker-${id}`);
  }

  get(id: NodeId): TestBroker {
    const broker = this.brokers[id - 1];
    if (broker === undefined) throw new Error(`no broker ${id}`);
    return broker;
  }

  registration(partition = 0): PartitionRegistration {
    const found = this.image.topics.find(TOPIC)?.partitions[partition];
    if (found === undefined) throw new Error('no such partition');
    return found;
  }

  get #topicId(): Uuid {
    return this.image.topics.find(TOPIC)?.id ?? TOPIC_ID;
  }

  finish<T>(promise: Promise<T>): Promise<T> {
    return this.scheduler.finish(promise, 120_000);
  }

  run(ms: number): Promise<void> {
    return this.scheduler.run(ms);
  }

  until(condition: () => boolean, limitMs = 60_000): Promise<boolean> {
    return this.scheduler.runUntil(condition, limitMs);
  }

  settled(): Promise<unknown> {
    const live = this.brokers.filter(({ alive }) => alive);
    return this.finish(Promise.all(live.map(({ manager }) => manager.settled())));
  }

  /** Applies records and tells every broker that is not held. */
  commit(...records: MetadataRecord[]): void {
    for (const record of records) {
      this.image = advance(replay(this.image, record), this.image.offset, 1);
      this.#records.push(record);
    }
    for (const broker of this.brokers) if (!broker.held) broker.tell();
  }

  recordsSince(offset: Offset): MetadataRecord[] {
    return this.#records.slice(offset);
  }

  /** A new incarnation: fenced out of every leadership and in-sync set, then back, as the controller does it. */
  register(brokerId: NodeId): number {
    this.fence(brokerId);
    const brokerEpoch: number = this.image.offset;
    const incarnationId = `aW5jYXJuYXRpb24tMTIz${String.fromCharCode(65 + this.#incarnations++)}Q`;
    this.commit({
      kind: 'register-broker',
      brokerId,
      brokerEpoch,
      incarnationId,
      listeners: [],
      features: [],
      fenced: false,
      inControlledShutdown: false,
      logDirs: this.get(brokerId).directories.flatMap(({ id, failure }) => (failure ? [] : (id ?? []))),
    });
    // A partition whose last in-sync member comes back is led by it again.
    for (const [partition, { isr, leader }] of (this.image.topics.find(TOPIC)?.partitions ?? []).entries())
      if (
        leader === -1 &&
        isr.includes(brokerId) &&
        isDirectoryOnline(this.image.cluster, this.registration(partition), brokerId)
      )
        this.elect(brokerId, isr, partition);
    return brokerEpoch;
  }

  fence(brokerId: NodeId): void {
    const known = this.image.cluster.brokers.get(brokerId);
    if (known === undefined) return;
    const records: MetadataRecord[] = [];
    for (const [partitionId, { isr, leader }] of (
      this.image.topics.find(TOPIC)?.partitions ?? []
    ).entries()) {
      const rest = isr.filter((id) => id !== brokerId);
      if (rest.length === isr.length) continue;
      const change = { kind: 'partition-change', partitionId, topicId: this.#topicId } as const;
      const successor: number | undefined = leader === brokerId ? (rest[0] ?? -1) : undefined;
      const next = rest.length === 0 ? isr : rest;
      records.push({ ...change, isr: next, ...(successor === undefined ? {} : { leader: successor }) });
    }
    const brokerEpoch = known.epoch;
    const fencing = { brokerId, brokerEpoch, fenced: 'fence', inControlledShutdown: 'none' } as const;
    this.commit({ kind: 'broker-registration-change', ...fencing }, ...records);
  }

  unfence(brokerId: NodeId): void {
    const brokerEpoch = this.image.cluster.brokers.get(brokerId)?.epoch ?? -1;
    const change = { brokerId, brokerEpoch, fenced: 'unfence', inControlledShutdown: 'none' } as const;
    this.commit({ kind: 'broker-registration-change', ...change });
  }

  createTopic(assignments: number[][], configs: Record<string, string> = {}): void {
    this.commit(
      { kind: 'topic', name: TOPIC, topicId: TOPIC_ID },
      ...Object.entries(configs).map(([name, value]) => configRecord(name, value)),
      ...assignments.map(
        (replicas, partitionId): MetadataRecord => ({
          kind: 'partition',
          partitionId,
          topicId: TOPIC_ID,
          replicas,
          isr: replicas,
          addingReplicas: [],
          removingReplicas: [],
          leader: replicas[0] ?? -1,
          leaderRecoveryState: 'recovered',
          leaderEpoch: 0,
          partitionEpoch: 0,
          directories: replicas.map(() => DIRECTORY),
        }),
      ),
    );
  }

  setConfig(name: string, value: string): void {
    this.commit(configRecord(name, value));
  }

  elect(leader: NodeId, isr: readonly NodeId[], partitionId = 0): void {
    this.commit({ kind: 'partition-change', partitionId, topicId: this.#topicId, leader, isr });
  }

  async assignReplicasToDirs(request: AssignReplicasToDirsRequest): Promise<AssignReplicasToDirsReply> {
    this.assigned.push(request);
    await new Promise<void>((resolve) => this.scheduler.after(2, resolve));
    const failure = this.assignFailures.shift();
    if (failure !== undefined) throw failure;
    const context = { config: { staticConfig: {} } } as DecideContext;
    const decision = decideAssignDirectories(this.image, request, context);
    if (decision.kind === 'refused') throw decision.error;
    this.commit(...decision.records);
    return decision.reply;
  }

  /** As the controller does when a heartbeat tells it. */
  loseDirectories(brokerId: NodeId, offline: readonly Uuid[]): void {
    const broker = this.image.cluster.brokers.get(brokerId);
    if (broker === undefined) throw new Error(`no broker ${brokerId}`);
    const moves = recordsForLostDirectories(this.image, brokerId, new Set(offline), {});
    const logDirs = broker.logDirs.filter((id) => !offline.includes(id));
    const none = { fenced: 'none', inControlledShutdown: 'none' } as const;
    this.commit(...moves, {
      kind: 'broker-registration-change',
      brokerId,
      brokerEpoch: broker.epoch,
      logDirs,
      ...none,
    });
  }

  async alterPartition(request: AlterPartitionRequest): Promise<AlterPartitionReply> {
    this.altered.push(request);
    await new Promise<void>((resolve) => this.scheduler.after(2, resolve));
    const failure = this.alterFailures.shift();
    if (failure instanceof Error) throw failure;
    if (this.image.cluster.brokers.get(request.brokerId)?.epoch !== request.brokerEpoch)
      throw new ApiError('STALE_BROKER_EPOCH');
    return { partitions: request.partitions.map((one) => this.#alter(one, failure)) };
  }

  #alter(
    { topicId, partition, leaderEpoch, partitionEpoch, newIsr }: AlterPartitionRequest['partitions'][number],
    failure: ErrorCode | undefined,
  ): AlteredPartition {
    const now = this.registration(partition);
    const ineligible = newIsr.some(({ brokerId, brokerEpoch }) => {
      const broker = this.image.cluster.brokers.get(brokerId);
      if (!isDirectoryOnline(this.image.cluster, now, brokerId)) return true;
      return broker === undefined || broker.fenced || (brokerEpoch !== -1 && brokerEpoch !== broker.epoch);
    });
    let error: ErrorCode = failure ?? 'NONE';
    if (leaderEpoch < now.leaderEpoch) error = 'FENCED_LEADER_EPOCH';
    else if (partitionEpoch < now.partitionEpoch) error = 'INVALID_UPDATE_VERSION';
    else if (ineligible) error = 'INELIGIBLE_REPLICA';
    const isr = newIsr.map(({ brokerId }) => brokerId);
    if (error === 'NONE') this.commit({ kind: 'partition-change', partitionId: partition, topicId, isr });
    const after = this.registration(partition);
    return {
      error,
      topicId,
      partition,
      leaderId: after.leader,
      leaderEpoch: after.leaderEpoch,
      partitionEpoch: after.partitionEpoch,
      isr: after.isr,
      leaderRecoveryState: 'recovered',
    };
  }
}

export function batchOf(
  values: string[],
  producer?: { producerId: number; producerEpoch: number; baseSequence: number },
): Uint8Array {
  const builder = new BatchBuilder({ compression: 'none', ...producer });
  for (const value of values) builder.append({ value: Buffer.from(value), headers: [], timestampMs: 1000 });
  return builder.build();
}

function configRecord(name: string, value: string): MetadataRecord {
  return { kind: 'config', resourceType: 'topic', resourceName: TOPIC, name, value };
}
