/**
 * All partitions of one broker: what produces and fetches ask of them, what other brokers fetch from them, and what
 * metadata make of them. Wires the parts together and keeps their timers; decides nothing itself.
 */
import {
  ApiError,
  type BrokerEpoch,
  NONE,
  type NodeId,
  type PartitionId,
  type Uuid,
} from '../../base/index.ts';
import type { Environment, Timer } from '../../env/index.ts';
import type { LogManager } from '../../log/index.ts';
import type { ImageDelta, MetadataImage, MetadataPublisher } from '../../metadata/index.ts';
import type {
  AlterPartitionReply,
  AlterPartitionRequest,
  AssignReplicasToDirsReply,
  AssignReplicasToDirsRequest,
  CallContext,
  Connection,
  DeletedRecords,
  DeleteRecordsPartition,
  FetchPartitionReply,
  IsolationLevel,
  ListOffsetsPartition,
  ListOffsetsPartitionReply,
  PartitionRef,
  ProducePartitionReply,
  ReplicaFetchReply,
  ReplicaFetchRequest,
  Sink,
} from '../../rpc/api/index.ts';
import { FaultReport } from '../flow/fault-report.ts';
import { outcomeOf } from '../flow/outcome.ts';
import { AlterPartitions } from './alter-partitions.ts';
import { type AppendRequest, Appends } from './appends.ts';
import { ConsumerFetches, type FetchWork } from './consumer-fetches.ts';
import { Deletions } from './deletions.ts';
import { DirectoryAssignments } from './directory-assignments.ts';
import { FollowerSessions } from './follower-sessions.ts';
import { LeaderFetchers } from './leader-fetchers.ts';
import { lookUpOffset } from './offset-lookup.ts';
import type { Partition } from './partition.ts';
import type { PartitionHost } from './partition-host.ts';
import type { ReplicaConfig } from './replica-config.ts';
import { ReplicaSet } from './replica-set.ts';

export interface ReplicaManagerOptions {
  readonly nodeId: NodeId;
  /** Epoch of this incarnation's registration; -1 before it is registered. */
  readonly brokerEpoch: () => BrokerEpoch;
  readonly logs: LogManager;
  readonly environment: Environment;
  readonly config: ReplicaConfig;
  /** Asks the active controller. A rejection leaves open whether it was applied, and is tried again. */
  readonly alterPartition: (request: AlterPartitionRequest) => Promise<AlterPartitionReply>;
  readonly assignReplicasToDirs: (request: AssignReplicasToDirsRequest) => Promise<AssignReplicasToDirsReply>;
  /** Told whenever a data directory has failed and others are left. */
  readonly directoriesFailed: (offline: readonly Uuid[]) => void;
  /** The replica listener of a broker; asked anew for each attempt, since its address may change. Stays the caller's. */
  readonly connect: (nodeId: NodeId) => Connection;
}

/** Lagging members are looked for this many times per replica.lag.time.max.ms. */
const ISR_CHECKS_PER_LAG_TIME = 4;
/** When a log fails, those who wait hear the reason for this long before the broker ends. */
const FAREWELL_MS = 100;

export class ReplicaManager implements MetadataPublisher {
  readonly name = 'replica manager';
  readonly #options: ReplicaManagerOptions;
  readonly #faults: FaultReport;
  readonly #replicas: ReplicaSet;
  readonly #fetchers: LeaderFetchers;
  readonly #sessions: FollowerSessions;
  readonly #alterations: AlterPartitions;
  readonly #appends: Appends;
  readonly #deletions: Deletions;
  readonly #fetches: ConsumerFetches;
  readonly #assignments: DirectoryAssignments;
  readonly #unsubscribe: () => void;
  readonly #timers = new Set<Timer>();
  #closed = false;

  constructor(options: ReplicaManagerOptions) {
    this.#options = options;
    const { environment, nodeId, brokerEpoch, config, connect, logs } = options;
    const { clock, timers } = environment;
    this.#faults = new FaultReport(environment);
    const report = (error: unknown, what: string): void => this.#faults.report(error, what);
    const find = (ref: PartitionRef): Partition | ApiError => this.#locate(ref);
    this.#alterations = new AlterPartitions({
      nodeId,
      brokerEpoch,
      timers,
      send: options.alterPartition,
      report,
    });
    this.#fetchers = new LeaderFetchers({
      nodeId,
      brokerEpoch,
      config,
      environment,
      connect,
      truncate: (partition, leaderEpoch, cut) => this.#replicas.truncate(partition, leaderEpoch, cut),
      report,
    });
    this.#assignments = new DirectoryAssignments({
      nodeId,
      brokerEpoch,
      timers,
      send: options.assignReplicasToDirs,
      report,
    });
    const host = this.#partitionHost();
    this.#replicas = new ReplicaSet({
      nodeId,
      brokerEpoch,
      logs,
      environment,
      config,
      host,
      fetchers: this.#fetchers,
      assignments: this.#assignments,
      report,
    });
    this.#unsubscribe = logs.onDirectoryFailure((error) => this.#handleDirectoryFailure(error));
    // They failed while they were opened: nobody waits for anything here, and nobody must come to count on it.
    if (!logs.isUsable) environment.exit.fatal('storage', logs.directoryFailure);
    const findById = (topicId: string, id: PartitionId) => this.#replicas.findById(topicId, id);
    this.#sessions = new FollowerSessions({ timers, findById, report });
    this.#appends = new Appends({ timers, find, report });
    this.#deletions = new Deletions({ timers, find, report });
    this.#fetches = new ConsumerFetches({ clock, timers, find, report });
    this.#every(config.replicaLagTimeMaxMs / ISR_CHECKS_PER_LAG_TIME, () => this.#checkIsrs());
    this.#every(config.highWatermarkCheckpointIntervalMs, () => logs.checkpointHighWatermarks());
    this.#every(config.retentionCheckIntervalMs, () => logs.applyRetention(clock.wallMs()));
    const { cleanerKeyMapBytes: keyMapBytes, cleanerBytesPerSecond: bytesPerSecond } = config;
    const cleaning = { clock, timers, keyMapBytes, bytesPerSecond };
    if (config.cleanerEnabled) this.#every(config.cleanerBackoffMs, () => logs.compact(cleaning));
  }

  /** Partitions hosted here. */
  get partitionCount(): number {
    return this.#replicas.count;
  }

  all(): Iterable<Partition> {
    return this.#replicas.values();
  }

  /**
   * Deletes, then leaders, then followers, of everything that changed. Holds everything back until `image` shows this
   * incarnation of the broker. What needs the disk follows; see {@link settled}.
   */
  publish(delta: ImageDelta, image: MetadataImage): void {
    this.#replicas.apply(delta, image);
  }

  /** Resolves when everything published so far has been carried out. */
  settled(): Promise<void> {
    return this.#replicas.settled();
  }

  /** The replica on this broker, leading or following. */
  find(topic: string, partition: PartitionId): Partition | undefined {
    return this.#replicas.find(topic, partition);
  }

  partitions(): Iterable<Partition> {
    return this.#replicas.values();
  }

  /** One result per batch, in order, when `acks` is fulfilled or `timeoutMs` is over; never rejects for a refusal. */
  append(request: AppendRequest): Promise<ProducePartitionReply[]> {
    return this.#appends.append(request);
  }

  /** One reply per partition, in order: batches, at most as committed. Rejects with RESOURCE_EXHAUSTED. */
  fetch(work: FetchWork): Promise<FetchPartitionReply[]> {
    return this.#fetches.fetch(work);
  }

  async listOffset(
    request: ListOffsetsPartition,
    isolation: IsolationLevel,
  ): Promise<ListOffsetsPartitionReply> {
    try {
      const partition = this.#locate(request);
      if (partition instanceof ApiError) throw partition;
      return await lookUpOffset(partition, request, isolation);
    } catch (error) {
      if (!(error instanceof ApiError)) this.#faults.report(error, 'list offsets failed');
      const { topic, partition } = request;
      const nothing = { offset: NONE, timestampMs: NONE, leaderEpoch: NONE };
      return { ...outcomeOf(error), topic, partition, ...nothing };
    }
  }

  /** One reply per partition led here, in order, when no live replica has the records any more. */
  deleteRecords(partitions: readonly DeleteRecordsPartition[], timeoutMs: number): Promise<DeletedRecords[]> {
    return this.#deletions.delete(partitions, timeoutMs);
  }

  /** Serves a follower; see ReplicaService. */
  replicaFetch(replies: Sink<ReplicaFetchReply>, call: CallContext): Sink<ReplicaFetchRequest> {
    if (this.#closed) throw new ApiError('BROKER_NOT_AVAILABLE', 'the broker is stopping');
    return this.#sessions.open(replies, call);
  }

  /** Answers whoever waits, ends the streams, finishes what the disk is busy with. The logs stay open: the caller's. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#fetchers.close();
    this.#sessions.close();
    this.#unsubscribe();
    this.#alterations.close();
    this.#assignments.close();
    this.#appends.close();
    this.#deletions.close();
    this.#fetches.close();
    await this.#replicas.close();
  }

  #locate({ topic, partition }: PartitionRef): Partition | ApiError {
    const found = this.#replicas.find(topic, partition);
    if (found !== undefined) return found;
    const known = this.#replicas.image?.topics.find(topic);
    if (known !== undefined && this.#replicas.whyLeft(known.id, partition) !== undefined)
      return new ApiError(
        'KAFKA_STORAGE_ERROR',
        `the log of ${topic}-${partition} is offline on this broker`,
      );
    if (known?.partitions[partition] === undefined)
      return new ApiError('UNKNOWN_TOPIC_OR_PARTITION', `${topic}-${partition} is not known here`);
    return new ApiError('NOT_LEADER_OR_FOLLOWER', `${topic}-${partition} is not on this broker`);
  }

  #partitionHost(): PartitionHost {
    const { environment, nodeId } = this.#options;
    const { clock, metrics } = environment;
    const refused = metrics.counter(
      'broker_fetches_refused_total',
      'fetches of followers refused for their epoch, or for who asked',
    );
    return {
      nodeId,
      brokers: (id) => this.#replicas.image?.cluster.brokers.get(id),
      monotonicMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs(),
      requestIsrChange: (partition) => this.#alterations.submit(partition),
      handleFlushed: (partition) => this.#fetchers.noteFlushed(partition),
      noteFetchRefused: () => refused.add(1),
      handleLogFailure: (partition) => this.#replicas.handleLogFailure(partition),
    };
  }

  /** With the last directory goes the broker: whoever can still trust its disk should lead. */
  #handleDirectoryFailure(error: Error): void {
    const { logs, environment, directoriesFailed } = this.#options;
    if (logs.isUsable) directoriesFailed(logs.offlineDirectories);
    else this.#after(FAREWELL_MS, () => environment.exit.fatal('storage', error));
  }

  #checkIsrs(): void {
    for (const partition of this.#replicas.values()) if (partition.state.isLeader) partition.checkIsr();
  }

  /** Repeats `task` with `periodMs` between the end of one run and the start of the next. */
  #every(periodMs: number, task: () => void | Promise<void>): void {
    this.#after(periodMs, async () => {
      try {
        await task();
      } catch (error) {
        this.#faults.report(error, 'a periodic task of the replicas failed');
      }
      if (!this.#closed) this.#every(periodMs, task);
    });
  }

  #after(delayMs: number, task: () => void | Promise<void>): void {
    const timer = this.#options.environment.timers.after(delayMs, () => {
      this.#timers.delete(timer);
      void task();
    });
    this.#timers.add(timer);
  }
}
