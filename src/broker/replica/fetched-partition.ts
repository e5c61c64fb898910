/** One partition that this broker follows: where it stands towards its leader. */
import { type LeaderEpoch, NONE, type Offset } from '../../base/index.ts';
import type { Timer } from '../../env/index.ts';
import type { ReplicaFetchPartition } from '../../rpc/api/index.ts';
import type { Partition } from './partition.ts';

/**
 * `ready`: fetched. `backing-off`: after an error, until its timer. `truncating`: until the log is cut. `stopped`: until
 * metadata bring another epoch.
 */
export type FetchedState = 'ready' | 'backing-off' | 'truncating' | 'stopped';

/** Metadata reach leader and follower at different moments: the first retries are quick. */
const BACKOFF_START_MS = 20;

export class FetchedPartition {
  readonly partition: Partition;
  readonly leaderEpoch: LeaderEpoch;
  state: FetchedState = 'ready';
  /** Correlation id of the frame that listed it last; -1: this stream has not. A reply to an earlier one is stale. */
  listedIn = NONE;
  listedOffset: Offset = NONE;
  timer: Timer | undefined;
  #failures = 0;
  #toldFlushed: Offset = NONE;
  #toldLogStart: Offset = NONE;

  constructor(partition: Partition, leaderEpoch: LeaderEpoch) {
    this.partition = partition;
    this.leaderEpoch = leaderEpoch;
  }

  /** True when a reply to frame `correlationId` speaks of where this partition stands now. */
  accepts(correlationId: number): boolean {
    return (
      this.state === 'ready' &&
      this.listedIn !== NONE &&
      this.listedIn <= correlationId &&
      this.partition.state.leaderEpoch === this.leaderEpoch &&
      !this.partition.state.isLeader
    );
  }

  /** What to tell the leader now. */
  toListing(maxBytes: number): ReplicaFetchPartition {
    const { log, topicId, partition } = this.partition;
    return {
      topicId,
      partition,
      currentLeaderEpoch: this.leaderEpoch,
      fetchOffset: log.logEndOffset,
      flushedOffset: log.flushedOffset,
      // Of the epoch cache: it may hold an epoch without records, which the leader has to hear of (KAFKA-10706).
      lastFetchedEpoch: log.latestEpoch,
      logStartOffset: log.durableLogStartOffset,
      maxBytes,
    };
  }

  noteTold(listing: ReplicaFetchPartition): void {
    this.#toldFlushed = listing.flushedOffset;
    this.#toldLogStart = listing.logStartOffset;
  }

  /** True when an acknowledgement would tell the leader more than it was told. */
  hasNews(): boolean {
    const { flushedOffset, durableLogStartOffset } = this.partition.log;
    return flushedOffset > this.#toldFlushed || durableLogStartOffset !== this.#toldLogStart;
  }

  /** The stream is gone: everything has to be told again. */
  forgetListing(): void {
    this.listedIn = NONE;
    this.listedOffset = NONE;
    this.#toldFlushed = NONE;
    this.#toldLogStart = NONE;
  }

  succeed(): void {
    this.#failures = 0;
  }

  /** How long to wait after one more failure. */
  nextBackoffMs(backoffMaxMs: number): number {
    const exponent = Math.min(this.#failures++, 20);
    return Math.min(backoffMaxMs, BACKOFF_START_MS * 2 ** exponent);
  }

  stop(): void {
    this.state = 'stopped';
    this.timer?.cancel();
  }
}
