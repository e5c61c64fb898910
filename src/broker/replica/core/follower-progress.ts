/**
 * What a leader knows of one follower: how far its log goes, how much of it is durable, and when it last had everything.
 *
 * A replica is judged by what it vouches for, its flushed offset: what is durable there, or with write.caching what its
 * operating system has; never its log end, which may be in the memory of its process alone. One number for the high
 * watermark, for joining and for leaving: a follower that takes records but whose disk hangs would otherwise hold the high
 * watermark for ever without ever counting as lagging.
 *
 * Caught up "as of t" means: it acknowledges all the leader had at t. The leader keeps one mark (its end offset, the time)
 * and moves it only once it is reached, to what it had when the follower fetched last: this is on its way then. Kafka moves
 * its mark at each fetch; here acknowledgements trail fetches by a sync, and under constant load a mark that moves with
 * each frame would never be reached.
 */
import { type BrokerEpoch, type MonotonicMs, NONE, type Offset } from '../../../base/index.ts';

/** Never fetched in this leader epoch. */
export const UNKNOWN_OFFSET: Offset = -1;

export interface FollowerReport {
  readonly endOffset: Offset;
  /** At most endOffset. */
  readonly flushedOffset: Offset;
  readonly logStartOffset: Offset;
  readonly brokerEpoch: BrokerEpoch;
  /** It asks for what comes next; an acknowledgement asks for nothing. */
  readonly isFetch: boolean;
}

const NOTHING = { flushedOffset: UNKNOWN_OFFSET, logStartOffset: UNKNOWN_OFFSET };

export class FollowerProgress {
  endOffset: Offset = UNKNOWN_OFFSET;
  flushedOffset: Offset = UNKNOWN_OFFSET;
  logStartOffset: Offset = UNKNOWN_OFFSET;
  /** Of its last fetch; -1: none yet. */
  brokerEpoch: BrokerEpoch = NONE;
  lastCaughtUpMs: MonotonicMs;
  #markOffset: Offset = UNKNOWN_OFFSET;
  #markMs: MonotonicMs = Number.NEGATIVE_INFINITY;
  /** The end offset of the leader at the last fetch. */
  #fetchedTo: Offset = UNKNOWN_OFFSET;
  #fetchMs: MonotonicMs = Number.NEGATIVE_INFINITY;

  /** An in-sync member gets the benefit of the doubt from `nowMs` on; another one has never been caught up. */
  constructor(inSync: boolean, nowMs: MonotonicMs) {
    this.lastCaughtUpMs = inSync ? nowMs : Number.NEGATIVE_INFINITY;
  }

  /** What the high watermark may count on; -1: unknown. */
  get ackedOffset(): Offset {
    return this.flushedOffset;
  }

  /**
   * Takes a verified report. The end offset may go down: the follower lost its tail. While it does not, what one
   * incarnation has flushed or deleted stays so: an acknowledgement may overtake a listing that waits, which is older and
   * says less, and is not repeated.
   */
  observe(report: FollowerReport, leaderEndOffset: Offset, nowMs: MonotonicMs): void {
    const goesOn = report.brokerEpoch === this.brokerEpoch && report.endOffset >= this.endOffset;
    const atLeast = goesOn ? this : NOTHING;
    this.endOffset = report.endOffset;
    this.flushedOffset = Math.min(Math.max(report.flushedOffset, atLeast.flushedOffset), report.endOffset);
    this.logStartOffset = Math.max(report.logStartOffset, atLeast.logStartOffset);
    this.brokerEpoch = report.brokerEpoch;
    if (report.isFetch) {
      this.#fetchedTo = leaderEndOffset;
      this.#fetchMs = nowMs;
    }
    const acked = this.ackedOffset;
    if (acked >= leaderEndOffset) this.#caughtUp(nowMs, leaderEndOffset, nowMs);
    else if (this.#markOffset === UNKNOWN_OFFSET) this.#mark(leaderEndOffset, nowMs);
    else if (acked >= this.#markOffset) this.#caughtUp(this.#markMs, this.#fetchedTo, this.#fetchMs);
  }

  /**
   * The leader's log grows from `previousEndOffset`. Whoever had all of it was caught up until this moment, however long
   * the partition has been idle: frames do not repeat partitions in which nothing changes.
   */
  noteAppend(previousEndOffset: Offset, endOffset: Offset, nowMs: MonotonicMs): void {
    const acked = this.ackedOffset;
    if (acked !== UNKNOWN_OFFSET && acked >= previousEndOffset) this.#caughtUp(nowMs, endOffset, nowMs);
  }

  isCaughtUp(leaderEndOffset: Offset, nowMs: MonotonicMs, lagMaxMs: number): boolean {
    return this.ackedOffset >= leaderEndOffset || nowMs - this.lastCaughtUpMs <= lagMaxMs;
  }

  /** The mark is `nextOffset` from now on, which the leader had at `nextMs`. */
  #caughtUp(asOfMs: MonotonicMs, nextOffset: Offset, nextMs: MonotonicMs): void {
    this.lastCaughtUpMs = Math.max(this.lastCaughtUpMs, asOfMs);
    this.#mark(nextOffset, nextMs);
  }

  #mark(leaderEndOffset: Offset, nowMs: MonotonicMs): void {
    this.#markOffset = leaderEndOffset;
    this.#markMs = nowMs;
  }
}
