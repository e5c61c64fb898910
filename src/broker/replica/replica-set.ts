/**
 * The replicas of this broker, kept as the metadata say: made and deleted, leading and following.
 *
 * A change of role of a log that is there happens inside `apply`; what needs the disk (a new log, a cut, a removal) is
 * queued per partition, and whatever concerns the same partition waits behind it.
 *
 * Nothing is applied until the metadata show this very incarnation of the broker: before that they may name it leader of an
 * epoch that its predecessor led, and with a tail lost in between it would write other records at offsets of that epoch,
 * which no follower could tell apart.
 */
import { assert, type BrokerEpoch, type NodeId, type PartitionId, type Uuid } from '../../base/index.ts';
import type { Environment, Timer } from '../../env/index.ts';
import type { LogManager, PartitionLog } from '../../log/index.ts';
import {
  deltaFromEmpty,
  directoryOf,
  type ImageDelta,
  LOST_DIRECTORY,
  type MetadataImage,
} from '../../metadata/index.ts';
import type { Outcome } from '../../rpc/api/index.ts';
import { refusal } from '../flow/outcome.ts';
import type { DirectoryAssignments } from './directory-assignments.ts';
import { HostedPartitions } from './hosted-partitions.ts';
import { KeyedQueue } from './keyed-queue.ts';
import type { LeaderFetchers } from './leader-fetchers.ts';
import type { Cut } from './leader-replies.ts';
import { type LocalReplica, localChanges } from './local-changes.ts';
import { Partition } from './partition.ts';
import type { PartitionHost } from './partition-host.ts';
import { PartitionMap } from './partition-map.ts';
import type { ReplicaConfig } from './replica-config.ts';
import { ReplicaLogs } from './replica-logs.ts';
import { ReplicaPlaces } from './replica-places.ts';
import { type ReplicaSettings, replicaSettings } from './replica-settings.ts';
import { sweepFoundLogs } from './start-sweep.ts';

export interface ReplicaSetOptions {
  readonly nodeId: NodeId;
  readonly brokerEpoch: () => BrokerEpoch;
  readonly logs: LogManager;
  readonly environment: Pick<Environment, 'timers' | 'logger'>;
  readonly config: ReplicaConfig;
  readonly host: PartitionHost;
  readonly fetchers: LeaderFetchers;
  readonly assignments: DirectoryAssignments;
  readonly report: (error: unknown, what: string) => void;
}

/** A log that could not be made (a full disk) is tried again. */
const CREATE_RETRY_MS = 1000;

export class ReplicaSet {
  readonly #options: ReplicaSetOptions;
  readonly #hosted = new HostedPartitions();
  /** What the newest metadata want here, by topic id; a replica may be wanted before its log exists. */
  readonly #wanted = new PartitionMap<LocalReplica>();
  readonly #logs: ReplicaLogs;
  readonly #places: ReplicaPlaces;
  readonly #queue: KeyedQueue;
  readonly #retries = new Set<Timer>();
  #image: MetadataImage | undefined;
  #started = false;
  #closed = false;

  constructor(options: ReplicaSetOptions) {
    this.#options = options;
    this.#logs = new ReplicaLogs(options.logs, options.environment.logger);
    this.#places = new ReplicaPlaces({ ...options, findLog: (replica) => this.#logs.find(replica) });
    this.#queue = new KeyedQueue((error, key) =>
      options.report(error, `a replica could not be changed: ${key}`),
    );
  }

  get image(): MetadataImage | undefined {
    return this.#image;
  }

  get count(): number {
    return this.#hosted.count;
  }

  find(topic: string, partition: PartitionId): Partition | undefined {
    return this.#hosted.find(topic, partition);
  }

  findById(topicId: Uuid, partition: PartitionId): Partition | undefined {
    return this.#hosted.findById(topicId, partition);
  }

  values(): Iterable<Partition> {
    return this.#hosted.values();
  }

  apply(delta: ImageDelta, image: MetadataImage): void {
    if (this.#closed) return;
    this.#image = image;
    if (!this.#started) {
      if (image.cluster.brokers.get(this.#options.nodeId)?.epoch !== this.#options.brokerEpoch()) return;
      this.#started = true;
      const { nodeId, logs, environment } = this.#options;
      const queue = (name: string, task: () => Promise<void>): void => this.#queue.run(name, task);
      sweepFoundLogs(image, { nodeId, logs, logger: environment.logger, queue });
      this.#applyChanges(deltaFromEmpty(image), image, 'first');
    } else this.#applyChanges(delta, image);
  }

  async settled(): Promise<void> {
    await this.#queue.settled();
    await this.#options.assignments.settled();
  }

  /** Why the replica has no log here that could be used; undefined: it has one, or is none of this broker's. */
  whyLeft(topicId: Uuid, partition: PartitionId): string | undefined {
    return this.#places.whyLeft(topicId, partition);
  }

  /** The log of a partition has failed: it follows nobody, and the controller hears of it. */
  handleLogFailure(partition: Partition): void {
    this.#options.fetchers.unfollow(partition);
    const wanted = this.#wanted.find(partition.topicId, partition.partition);
    if (wanted === undefined || this.findById(partition.topicId, partition.partition) !== partition) return;
    this.#places.tell(wanted);
    // Nothing new is to be told, and no answer will come: it was lost before, and its successor is not known yet.
    if (directoryOf(wanted.registration, this.#options.nodeId) === LOST_DIRECTORY) this.#want(wanted);
  }

  /** Cuts the log of `partition` unless it has moved on to another epoch or role; rejects when that fails. */
  truncate(partition: Partition, leaderEpoch: number, cut: Cut): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.run(partition.name, async () => {
        const { log, state } = partition;
        const isCurrent = !state.isLeader && state.leaderEpoch === leaderEpoch;
        try {
          if (isCurrent && cut.kind === 'truncate') await log.truncateTo(cut.offset);
          if (isCurrent && cut.kind === 'restart') await log.truncateFullyAndStartAt(cut.offset);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#retries) timer.cancel();
    for (const partition of this.#hosted.values())
      partition.retire(refusal('NOT_LEADER_OR_FOLLOWER', 'the broker is stopping'));
    await this.#queue.settled();
    this.#hosted.clear();
  }

  #applyChanges(delta: ImageDelta, image: MetadataImage, which: 'first' | 'next' = 'next'): void {
    const { nodeId, fetchers } = this.#options;
    const { deletes, leaders, followers } = localChanges(delta, nodeId);
    for (const { topic, topicId, partition, topicDeleted } of deletes)
      this.#delete(topic, topicId, partition, topicDeleted);
    for (const replica of [...leaders, ...followers]) {
      const { topicId, partition } = replica;
      // Nobody has seen its log yet, although the metadata may have changed since it was new.
      const wasNew = this.#wanted.find(topicId, partition)?.isNew === true;
      const isUnmade = this.#hosted.findById(topicId, partition) === undefined;
      const isNew = (replica.isNew && which === 'next') || (wasNew && isUnmade);
      this.#want({ ...replica, isNew });
    }
    fetchers.closeIdle();
    if (delta.configsChanged.topics.size > 0 || delta.configsChanged.brokers.size > 0)
      this.#reconfigure(delta, image);
    if (!delta.brokersChanged) return;
    for (const partition of this.#hosted.values()) partition.handleBrokersChange();
  }

  #want(replica: LocalReplica): void {
    this.#wanted.set(replica.topicId, replica.partition, replica);
    this.#queue.run(`${replica.topic}-${replica.partition}`, () => this.#establish(replica));
  }

  #establish(replica: LocalReplica): void | Promise<void> {
    const { topicId, partition } = replica;
    const hosted = this.#hosted.findById(topicId, partition);
    // Deleted again, or something newer is queued behind.
    const isLatest = this.#wanted.find(topicId, partition) === replica;
    if (this.#closed || (hosted === undefined && !isLatest)) return;
    const own = this.#logs.find(replica);
    const decision = this.#places.decide(replica, own);
    if (decision.kind === 'replace' && own !== undefined && isLatest) return this.#replace(replica, own);
    if (hosted !== undefined) return this.#assume(hosted, replica);
    if (decision.kind === 'leave') this.#places.leave(replica, decision);
    else if (decision.kind === 'make') return this.#create(replica, decision.directoryId);
    else if (own?.topicId === topicId) this.#host(own, replica);
    else this.#places.leave(replica, { why: 'its partition.metadata is damaged', mustAct: false });
    this.#places.tell(replica);
  }

  /**
   * The metadata say that nobody counts on this replica, and will not before this broker tells of another log. A crash on
   * the way leaves the damaged log, or none: the next start decides the same.
   */
  async #replace(replica: LocalReplica, damaged: PartitionLog): Promise<void> {
    const { topic, topicId, partition } = replica;
    this.#retire(topicId, partition, refusal('NOT_LEADER_OR_FOLLOWER'));
    try {
      await this.#logs.setAside(replica, damaged);
    } catch (error) {
      this.#retryLater(replica, error, `the damaged log of ${topic}-${partition} could not be set aside`);
      return;
    }
    const wanted = this.#wanted.find(topicId, partition);
    if (wanted !== undefined) await this.#establish(wanted);
  }

  #retryLater({ topicId, partition }: LocalReplica, error: unknown, what: string): void {
    this.#options.report(error, this.#closed ? what : `${what}; trying again`);
    if (this.#closed) return;
    const timer = this.#options.environment.timers.after(CREATE_RETRY_MS, () => {
      this.#retries.delete(timer);
      const wanted = this.#wanted.find(topicId, partition);
      if (wanted !== undefined) this.#want(wanted);
    });
    this.#retries.add(timer);
  }

  async #create(replica: LocalReplica, directoryId: Uuid | undefined): Promise<void> {
    const { topic, topicId, partition } = replica;
    try {
      const log = await this.#logs.make(replica, this.#settings(topic).log, directoryId);
      if (!this.#closed) this.#host(log, this.#wanted.find(topicId, partition) ?? replica);
    } catch (error) {
      this.#retryLater(replica, error, `the log of ${topic}-${partition} could not be made`);
      return;
    }
    this.#places.tell(this.#wanted.find(topicId, partition) ?? replica);
  }

  #host(log: PartitionLog, replica: LocalReplica): void {
    const settings = this.#settings(replica.topic);
    log.config = settings.log;
    const partition = new Partition(log, settings.policy, this.#options.host);
    this.#hosted.add(partition);
    this.#assume(partition, replica);
  }

  #assume(partition: Partition, replica: LocalReplica): void {
    const { nodeId, fetchers, environment } = this.#options;
    const { registration } = replica;
    const before = { epoch: partition.state.leaderEpoch, isLeader: partition.state.isLeader };
    if (registration.leader === nodeId) {
      fetchers.unfollow(partition);
      partition.becomeLeader(registration);
    } else if (partition.becomeFollower(registration) && partition.log.failure === undefined)
      fetchers.follow(partition);
    this.#places.tell(replica);
    const { leaderEpoch, leaderId, isLeader } = partition.state;
    if (leaderEpoch === before.epoch && isLeader === before.isLeader) return;
    const fields = { partition: partition.name, leaderEpoch, leaderId, end: partition.log.logEndOffset };
    environment.logger.debug(fields, isLeader ? 'became leader' : 'became follower');
  }

  #delete(topic: string, topicId: Uuid, id: PartitionId, topicDeleted: boolean): void {
    this.#wanted.delete(topicId, id);
    const outcome = refusal(topicDeleted ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'NOT_LEADER_OR_FOLLOWER');
    const retire = (): void => this.#retire(topicId, id, outcome);
    this.#places.forget(topicId, id);
    retire();
    this.#queue.run(`${topic}-${id}`, async () => {
      // Its log was being made.
      retire();
      await this.#logs.delete(topic, topicId, id, topicDeleted);
    });
  }

  #retire(topicId: Uuid, id: PartitionId, why: Outcome): void {
    const partition = this.#hosted.findById(topicId, id);
    if (partition === undefined) return;
    this.#options.fetchers.unfollow(partition);
    this.#hosted.remove(partition);
    partition.retire(why);
  }

  #reconfigure(delta: ImageDelta, image: MetadataImage): void {
    const { topics, brokers } = delta.configsChanged;
    const names = brokers.size > 0 ? image.topics.byName.keys() : topics;
    for (const name of names) {
      let settings: ReplicaSettings | undefined;
      for (const partition of this.#hosted.ofTopic(name)) {
        settings ??= this.#settings(name);
        partition.log.config = settings.log;
        partition.setPolicy(settings.policy);
      }
    }
  }

  #settings(topic: string): ReplicaSettings {
    assert(this.#image !== undefined, 'a topic comes from an image', { topic });
    const { config, nodeId } = this.#options;
    return replicaSettings(this.#image, topic, config, nodeId);
  }
}
