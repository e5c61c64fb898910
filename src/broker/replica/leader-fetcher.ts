/**
 * Keeps this broker's copies of everything one other broker leads: fetches, appends, acknowledges, cuts what diverges.
 *
 * A reply is used for a partition only when it answers the partition's latest listing of the same leader epoch; see
 * LeaderReplies for how. Frames carry only what changed: after an append the new end at once, so that fetching and syncing
 * overlap, and a flush as an acknowledgement of its own. Everything of one turn of the event loop goes into one frame.
 * Source: Kafka's AbstractFetcherThread; KIP-101, KIP-279, KIP-227.
 */
import {
  ApiError,
  type BrokerEpoch,
  type LeaderEpoch,
  NONE,
  type NodeId,
  type Uuid,
} from '../../base/index.ts';
import type { Environment } from '../../env/index.ts';
import type { Connection, ReplicaFetchReply } from '../../rpc/api/index.ts';
import { FetchedPartition } from './fetched-partition.ts';
import { type Cut, LeaderReplies } from './leader-replies.ts';
import { LeaderStream } from './leader-stream.ts';
import { FRAME_PARTITIONS_MAX } from './limits.ts';
import type { Partition } from './partition.ts';
import { PartitionMap } from './partition-map.ts';
import type { ReplicaConfig } from './replica-config.ts';

export interface LeaderFetcherOptions {
  readonly nodeId: NodeId;
  readonly leaderId: NodeId;
  readonly brokerEpoch: () => BrokerEpoch;
  readonly config: ReplicaConfig;
  readonly environment: Pick<Environment, 'timers' | 'random' | 'logger'>;
  readonly connect: (leaderId: NodeId) => Connection;
  /** Cuts the log once nothing else is under way with it, unless the partition has moved on; then resolves. */
  readonly truncate: (partition: Partition, leaderEpoch: LeaderEpoch, cut: Cut) => Promise<void>;
  readonly report: (error: unknown, what: string) => void;
}

/** Beyond the leader's own wait: the reply is lost or the leader hangs. */
const SILENCE_GRACE_MS = 5000;

export class LeaderFetcher {
  readonly #options: LeaderFetcherOptions;
  readonly #stream: LeaderStream;
  readonly #replies: LeaderReplies;
  readonly #entries = new PartitionMap<FetchedPartition>();
  /** To be listed in the next fetch. */
  readonly #changed = new Set<FetchedPartition>();
  /** To be acknowledged. */
  readonly #flushed = new Set<FetchedPartition>();
  #forgotten: { topicId: Uuid; partition: number }[] = [];
  #scheduled = false;
  #closed = false;

  constructor(options: LeaderFetcherOptions) {
    this.#options = options;
    const { timers, random } = options.environment;
    this.#replies = new LeaderReplies({ ...options, change: (entry) => this.#change(entry) });
    this.#stream = new LeaderStream({
      leaderId: options.leaderId,
      timers,
      random,
      silenceMaxMs: options.config.replicaFetchWaitMaxMs + SILENCE_GRACE_MS,
      connect: options.connect,
      handleOpen: () => this.#schedule(),
      handleReply: (reply) => this.#handleReply(reply),
      handleBreak: (error) => this.#handleBreak(error),
    });
  }

  get partitionCount(): number {
    return this.#entries.size;
  }

  /** Fetches `partition` from its log end on, at its present leader epoch. */
  add(partition: Partition): void {
    const entry = new FetchedPartition(partition, partition.state.leaderEpoch);
    this.#entries.set(partition.topicId, partition.partition, entry);
    this.#change(entry);
  }

  remove(partition: Partition): void {
    const entry = this.#entries.find(partition.topicId, partition.partition);
    if (entry === undefined) return;
    entry.stop();
    this.#changed.delete(entry);
    this.#flushed.delete(entry);
    this.#entries.delete(partition.topicId, partition.partition);
    if (entry.listedIn !== NONE)
      this.#forgotten.push({ topicId: partition.topicId, partition: partition.partition });
  }

  /** More of `partition` is durable, its log start included. */
  noteFlushed(partition: Partition): void {
    const entry = this.#entries.find(partition.topicId, partition.partition);
    if (entry === undefined || entry.listedIn === NONE || entry.state !== 'ready') return;
    this.#flushed.add(entry);
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) entry.stop();
    this.#entries.clear();
    this.#changed.clear();
    this.#flushed.clear();
    this.#stream.close();
  }

  // Frames out

  #change(entry: FetchedPartition): void {
    this.#changed.add(entry);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      try {
        this.#pump();
      } catch (error) {
        this.#options.report(error, 'replica fetch failed');
      }
    });
  }

  #pump(): void {
    if (this.#closed || this.#entries.size === 0) return;
    if (!this.#stream.isOpen) {
      this.#stream.open();
      return;
    }
    // A fetch says what is flushed as well; acknowledge alone what no fetch is about to list.
    const mustFetch = this.#stream.inFlightCount === 0 || this.#changed.size > 0;
    if (mustFetch && this.#stream.hasRoom) this.#sendFetch();
    if (this.#flushed.size > 0 && this.#stream.isOpen) this.#sendAck();
  }

  #sendFetch(): void {
    const { config } = this.#options;
    const listed: FetchedPartition[] = [];
    for (const entry of this.#changed) {
      if (listed.length >= FRAME_PARTITIONS_MAX) break;
      this.#changed.delete(entry);
      if (entry.state === 'ready') listed.push(entry);
    }
    const partitions = listed.map((entry) => entry.toListing(config.replicaFetchMaxBytes));
    const forget = this.#forgotten
      .splice(0, FRAME_PARTITIONS_MAX)
      .filter(({ topicId, partition }) => this.#entries.find(topicId, partition) === undefined);
    for (const [index, entry] of listed.entries()) {
      const listing = partitions[index];
      if (listing !== undefined) entry.noteTold(listing);
      entry.listedOffset = listing?.fetchOffset ?? NONE;
      this.#flushed.delete(entry);
    }
    const correlationId = this.#stream.send({ ack: false, partitions, forget }, this.#frameDefaults());
    for (const entry of listed) entry.listedIn = correlationId;
  }

  #sendAck(): void {
    const partitions = [];
    for (const entry of this.#flushed) {
      this.#flushed.delete(entry);
      if (entry.state !== 'ready' || entry.listedIn === NONE || !entry.hasNews()) continue;
      const ack = entry.toListing(0);
      entry.noteTold(ack);
      partitions.push(ack);
      if (partitions.length >= FRAME_PARTITIONS_MAX) break;
    }
    if (partitions.length === 0) return;
    this.#stream.send({ ack: true, partitions, forget: [] }, this.#frameDefaults());
    if (this.#flushed.size > 0) this.#schedule();
  }

  #frameDefaults() {
    const { nodeId, brokerEpoch, config } = this.#options;
    return {
      brokerId: nodeId,
      brokerEpoch: brokerEpoch(),
      maxWaitMs: config.replicaFetchWaitMaxMs,
      minBytes: config.replicaFetchMinBytes,
      maxBytes: config.replicaFetchResponseMaxBytes,
    };
  }

  // Replies in

  #handleReply(reply: ReplicaFetchReply): void {
    for (const part of reply.partitions) {
      const entry = this.#entries.find(part.topicId, part.partition);
      if (entry?.accepts(reply.correlationId) !== true) continue;
      try {
        this.#replies.use(entry, part);
      } catch (error) {
        if (!(error instanceof ApiError)) this.#options.report(error, 'records of the leader were refused');
        this.#replies.backOff(entry);
      }
    }
    this.#schedule();
  }

  #handleBreak(error: Error | undefined): void {
    const fields = { leaderId: this.#options.leaderId, reason: error?.message };
    this.#options.environment.logger.debug(fields, 'replica fetch stream ended');
    this.#forgotten = [];
    this.#flushed.clear();
    for (const entry of this.#entries.values()) {
      entry.forgetListing();
      this.#changed.add(entry);
    }
  }
}
