/**
 * Where the log of one replica starts, and how that travels: as leader on request, as follower after the leader.
 *
 * Law: a log start never passes the replica's own high watermark, so a follower that is behind takes over as much as it
 * may and the rest with its next high watermark. What is reported to others is the log start that no crash takes back: a
 * deletion that was answered stays one. Source: Kafka's ReplicaFetcherThread.processPartitionData and
 * Partition.deleteRecordsOnLeader.
 */
import { ApiError, type NodeId, type Offset } from '../../base/index.ts';
import { type PartitionLog, storageRefusal } from '../../log/index.ts';
import { HIGH_WATERMARK_OFFSET } from '../../rpc/api/index.ts';
import type { BrokerLookup } from './core/eligibility.ts';
import { brokersBelow, lowWatermarkOf } from './core/low-watermark.ts';
import type { PartitionState } from './core/partition-state.ts';
import { notLeaderText } from './core/role-texts.ts';

export interface LogStartOptions {
  readonly log: PartitionLog;
  readonly state: PartitionState;
  readonly brokers: BrokerLookup;
}

/** What a deletion waits for: `offset` as the low watermark, and `saved` on this broker. */
export interface Deletion {
  readonly offset: Offset;
  readonly saved: Promise<void>;
}

export class LogStart {
  readonly #log: PartitionLog;
  readonly #state: PartitionState;
  readonly #brokers: BrokerLookup;
  #seen: Offset;
  #seenDurable: Offset;
  /** The disk refused to save what readers see already. */
  #unsaved = false;

  constructor({ log, state, brokers }: LogStartOptions) {
    this.#log = log;
    this.#state = state;
    this.#brokers = brokers;
    this.#seen = log.logStartOffset;
    this.#seenDurable = log.durableLogStartOffset;
  }

  /** Of the leader: no live replica holds a record below it; -1: not known of all. */
  get lowWatermark(): Offset {
    return lowWatermarkOf(this.#state, this.#log.durableLogStartOffset, this.#brokers);
  }

  /** Of the leader: the brokers that still hold records below `offset`. */
  brokersBelow(offset: Offset): NodeId[] {
    return brokersBelow(this.#state, this.#log.durableLogStartOffset, this.#brokers, offset);
  }

  /** True when it moved since the last look, whoever moved it. */
  takeMoved(): boolean {
    const { logStartOffset, durableLogStartOffset } = this.#log;
    const moved = logStartOffset !== this.#seen || durableLogStartOffset !== this.#seenDurable;
    this.#seen = logStartOffset;
    this.#seenDurable = durableLogStartOffset;
    return moved;
  }

  /**
   * As leader: records below `beforeOffset` (-1: below the high watermark) are gone for readers when it returns. Throws
   * ApiError NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, POLICY_VIOLATION,
   * OFFSET_OUT_OF_RANGE, OFFSET_NOT_AVAILABLE.
   */
  deleteBefore(beforeOffset: Offset): Deletion {
    const { topic, partition, config, highWatermark, failure } = this.#log;
    const name = `${topic}-${partition}`;
    if (!this.#state.isLeader) throw new ApiError('NOT_LEADER_OR_FOLLOWER', notLeaderText(name, this.#state));
    if (failure !== undefined) throw storageRefusal(failure);
    if (!config.deletes)
      throw new ApiError('POLICY_VIOLATION', `${name} keeps its records: its cleanup.policy has no delete`);
    const offset = beforeOffset === HIGH_WATERMARK_OFFSET ? highWatermark : beforeOffset;
    const bounds = `records of ${name} can be deleted up to the high watermark ${highWatermark}, not ${offset}`;
    if (offset < 0) throw new ApiError('OFFSET_OUT_OF_RANGE', bounds);
    if (offset > highWatermark)
      // A new leader may know less as committed than its predecessor did.
      throw new ApiError(
        offset <= this.#state.epochStartOffset ? 'OFFSET_NOT_AVAILABLE' : 'OFFSET_OUT_OF_RANGE',
        bounds,
      );
    const saved = this.#log.advanceLogStart(offset);
    saved.catch(() => {});
    return { offset, saved };
  }

  /** As follower, after the high watermark was taken over. */
  followLeader(leaderLogStart: Offset): void {
    const { highWatermark, logStartOffset } = this.#log;
    const offset = Math.min(leaderLogStart, highWatermark);
    if (offset <= logStartOffset && !this.#unsaved) return;
    this.#unsaved = false;
    // Tried again with the leader's next word.
    this.#log.advanceLogStart(Math.max(offset, logStartOffset)).catch(() => {
      this.#unsaved = true;
    });
  }
}
