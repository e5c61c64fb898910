/**
 * One partition of a replica fetch stream, as the leader remembers it (KIP-227 with the stream in place of a session id).
 *
 * What the follower listed last, what came of judging it, and what it was told since. After records, an error or a
 * divergence were sent, the position is used up: nothing more is sent until the follower lists the partition again.
 */
import { NONE, type Offset } from '../../base/index.ts';
import type { Outcome, ReplicaFetchPartition, ReplicaFetchPartitionReply } from '../../rpc/api/index.ts';
import { refusal } from '../flow/outcome.ts';
import { leaderEpochProblem } from './core/follower-fetch.ts';
import type { FetchVerdict, FollowerIdentity, Partition } from './partition.ts';
import type { PartitionListener } from './partition-listeners.ts';

/** A reply, or the promise of one that needs the disk; undefined: the next batch had no room. */
export type SessionAnswer = ReplicaFetchPartitionReply | Promise<ReplicaFetchPartitionReply | undefined>;

const NOT_HERE: FetchVerdict = { kind: 'refused', ...refusal('UNKNOWN_TOPIC_OR_PARTITION') };

export class SessionPartition implements PartitionListener {
  listed: ReplicaFetchPartition;
  partition: Partition | undefined;
  #verdict: FetchVerdict = NOT_HERE;
  #usedUp = false;
  #sentHighWatermark: Offset = NONE;
  #sentLogStartOffset: Offset = NONE;
  readonly #wake: (entry: SessionPartition) => void;

  constructor(listed: ReplicaFetchPartition, wake: (entry: SessionPartition) => void) {
    this.listed = listed;
    this.#wake = wake;
  }

  handlePartitionChange(): void {
    if (!this.#usedUp) this.#wake(this);
  }

  /** The follower lists the partition: judged at once, also when the answer has to wait. */
  list(listed: ReplicaFetchPartition, partition: Partition | undefined, from: FollowerIdentity): void {
    if (this.partition !== partition) {
      this.leave();
      this.partition = partition;
      partition?.subscribe(this);
    }
    // A follower that does not stand further than before did not use what it was told: tell it again.
    const goesOn =
      listed.fetchOffset > this.listed.fetchOffset &&
      listed.currentLeaderEpoch === this.listed.currentLeaderEpoch;
    if (!goesOn) {
      this.#sentHighWatermark = NONE;
      this.#sentLogStartOffset = NONE;
    }
    this.listed = listed;
    this.#usedUp = false;
    this.#verdict = partition === undefined ? NOT_HERE : partition.handleFollowerFetch(from, listed);
  }

  /**
   * Durable records; only of a follower whose last listing agreed, in the same epoch: an acknowledgement may overtake a
   * listing that waits for a read, and in a new epoch nobody has compared the logs yet. False: nothing came of it.
   */
  acknowledge(ack: ReplicaFetchPartition, from: FollowerIdentity): boolean {
    if (this.#verdict.kind !== 'agrees' || ack.currentLeaderEpoch !== this.listed.currentLeaderEpoch)
      return false;
    this.partition?.handleFollowerAck(from, ack);
    return true;
  }

  leave(): void {
    this.partition?.unsubscribe(this);
    this.partition = undefined;
  }

  /** What there is to tell, without reading: nothing, something short that does not wait, or records. */
  weigh(): 'nothing' | 'notice' | 'records' {
    if (this.#usedUp) return 'nothing';
    this.#checkRole();
    if (this.partition === undefined || this.#verdict.kind !== 'agrees') return 'notice';
    const { log } = this.partition;
    if (this.listed.fetchOffset < log.logEndOffset) return 'records';
    return this.#hasMoved(this.partition) ? 'notice' : 'nothing';
  }

  /** Bytes of records in memory that a reply could carry; any number of them when they are on disk only. */
  availableBytes(maxBytes: number): number {
    const { log } = this.partition ?? {};
    if (log === undefined) return 0;
    const bounds = { maxBytes, upperBound: log.logEndOffset, atLeastOne: true };
    const read = log.read(this.listed.fetchOffset, bounds);
    if (!(read instanceof Promise)) return read.sizeBytes;
    read.catch(() => {});
    return maxBytes;
  }

  /** What to tell now: undefined when there is nothing. `leftBytes` 0: nothing that needs reading. */
  answer(leftBytes: number, atLeastOne: boolean): SessionAnswer | undefined {
    if (this.#usedUp) return undefined;
    this.#checkRole();
    const { partition, listed } = this;
    if (partition === undefined || this.#verdict.kind === 'refused') return this.#refused();
    const { log } = partition;
    if (this.#verdict.kind === 'diverges') return this.#final({ divergingEpoch: this.#verdict.end });
    if (this.#verdict.kind === 'out-of-range') return this.#outOfRange(partition);
    const end = log.logEndOffset;
    if (listed.fetchOffset >= end || leftBytes <= 0) return this.#progress(partition);
    const maxBytes = Math.min(listed.maxBytes, leftBytes);
    // Taken before the read: a reply is never ahead of its records.
    const offsets = { highWatermark: log.highWatermark, logStartOffset: log.logStartOffset };
    const read = log.read(listed.fetchOffset, { maxBytes, upperBound: end, atLeastOne });
    if (!(read instanceof Promise))
      return read.batches.length === 0 ? this.#progress(partition) : this.#final({ ...offsets, ...read });
    return read.then(({ batches }) => {
      // The log may have been cut while the disk was read.
      this.#checkRole();
      if (this.#verdict.kind === 'refused') return this.#refused();
      return batches.length === 0 ? this.#progress(partition) : this.#final({ ...offsets, batches });
    });
  }

  /** A read failed: the follower backs off and asks again. */
  failed({ error }: Outcome): ReplicaFetchPartitionReply {
    return this.#final({ error });
  }

  /** Leadership may have moved since the listing was judged. */
  #checkRole(): void {
    const { partition, listed } = this;
    if (partition === undefined || this.#verdict.kind === 'refused') return;
    const problem = leaderEpochProblem(partition.state, listed.currentLeaderEpoch);
    if (problem !== undefined) this.#verdict = { kind: 'refused', ...refusal(problem) };
  }

  #refused(): ReplicaFetchPartitionReply {
    const { error } = this.#verdict.kind === 'refused' ? this.#verdict : refusal('UNKNOWN_SERVER_ERROR');
    return this.#final({ error });
  }

  /**
   * Carries the bounds of the leader's log, taken at one moment, so that the follower needs no further question: the log
   * start, and as `divergingEpoch.endOffset` the log end.
   */
  #outOfRange({ log, state }: Partition): ReplicaFetchPartitionReply {
    return this.#final({
      error: 'OFFSET_OUT_OF_RANGE',
      highWatermark: log.highWatermark,
      logStartOffset: log.logStartOffset,
      divergingEpoch: { epoch: state.leaderEpoch, endOffset: log.logEndOffset },
    });
  }

  /** High watermark or log start, when they moved since they were last told. */
  #progress(partition: Partition): ReplicaFetchPartitionReply | undefined {
    if (!this.#hasMoved(partition)) return undefined;
    const { highWatermark, logStartOffset } = partition.log;
    return this.#reply({ highWatermark, logStartOffset });
  }

  #hasMoved({ log }: Partition): boolean {
    return log.highWatermark !== this.#sentHighWatermark || log.logStartOffset !== this.#sentLogStartOffset;
  }

  #final(parts: Partial<ReplicaFetchPartitionReply>): ReplicaFetchPartitionReply {
    this.#usedUp = true;
    return this.#reply(parts);
  }

  #reply(parts: Partial<ReplicaFetchPartitionReply>): ReplicaFetchPartitionReply {
    const { topicId, partition } = this.listed;
    const {
      error = 'NONE',
      highWatermark = NONE,
      logStartOffset = NONE,
      batches = [],
      divergingEpoch,
    } = parts;
    // After an error the follower may have missed them: they are told again with the next success.
    this.#sentHighWatermark = error === 'NONE' ? highWatermark : NONE;
    this.#sentLogStartOffset = error === 'NONE' ? logStartOffset : NONE;
    const reply = { error, topicId, partition, highWatermark, logStartOffset, batches };
    return divergingEpoch === undefined ? reply : { ...reply, divergingEpoch };
  }
}
