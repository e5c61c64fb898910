/**
 * What a follower makes of what its leader says of one partition: it appends, cuts what diverges, begins anew outside of the
 * leader's range, or asks again later. Of a reply that says "diverging" nothing else is used (KAFKA-14704).
 * Source: Kafka's AbstractFetcherThread; KIP-101, KIP-279.
 */
import type { LeaderEpoch, Offset } from '../../base/index.ts';
import type { Environment } from '../../env/index.ts';
import { BATCH_HEADER_BYTES, batchBaseOffset, batchLastOffset } from '../../log/record/index.ts';
import type { ReplicaFetchPartitionReply } from '../../rpc/api/index.ts';
import { decideTruncation } from './core/follower-fetch.ts';
import type { FetchedPartition } from './fetched-partition.ts';
import type { Partition } from './partition.ts';
import type { ReplicaConfig } from './replica-config.ts';

/** `restart`: drop everything and begin at `offset`. */
export interface Cut {
  readonly kind: 'truncate' | 'restart';
  readonly offset: number;
}

export interface LeaderRepliesOptions {
  readonly config: Pick<ReplicaConfig, 'replicaFetchBackoffMs'>;
  readonly environment: Pick<Environment, 'timers' | 'logger'>;
  /** Cuts the log once nothing else is under way with it, unless the partition has moved on; then resolves. */
  readonly truncate: (partition: Partition, leaderEpoch: LeaderEpoch, cut: Cut) => Promise<void>;
  /** It is to be listed in the next fetch. */
  readonly change: (entry: FetchedPartition) => void;
  readonly report: (error: unknown, what: string) => void;
}

export class LeaderReplies {
  readonly #options: LeaderRepliesOptions;

  constructor(options: LeaderRepliesOptions) {
    this.#options = options;
  }

  /** The entry must accept the reply. Throws ApiError, for records that the log refuses. */
  use(entry: FetchedPartition, part: ReplicaFetchPartitionReply): void {
    if (part.error === 'OFFSET_OUT_OF_RANGE') this.#handleOutOfRange(entry, part);
    else if (part.error === 'FENCED_LEADER_EPOCH') entry.stop();
    else if (part.error !== 'NONE') this.backOff(entry);
    else if (part.divergingEpoch !== undefined) this.#handleDivergence(entry, part.divergingEpoch);
    // Somebody else moved the log since: the listing is void.
    else if (entry.partition.log.logEndOffset !== entry.listedOffset) this.#options.change(entry);
    else this.#follow(entry, part);
  }

  #follow(entry: FetchedPartition, part: ReplicaFetchPartitionReply): void {
    const { partition } = entry;
    entry.succeed();
    const base = beginsBefore(partition.log, part);
    if (base !== undefined) this.#beginAt(entry, base, part);
    else this.#append(entry, part);
  }

  #append(entry: FetchedPartition, part: ReplicaFetchPartitionReply): void {
    const { partition, leaderEpoch } = entry;
    if (part.batches.length > 0) {
      partition.log.appendAsFollower(part.batches, leaderEpoch);
      this.#options.change(entry);
    }
    partition.followLeader(part);
  }

  /** The empty log begins where the batch does that holds its end; only records from the leader's log start on are shown. */
  #beginAt(entry: FetchedPartition, base: Offset, part: ReplicaFetchPartitionReply): void {
    const { partition, leaderEpoch } = entry;
    const { state, log } = partition;
    this.#cut(entry, { kind: 'restart', offset: base }, () => {
      if (state.leaderEpoch === leaderEpoch && !state.isLeader && log.logEndOffset === base)
        this.#append(entry, part);
    });
  }

  #handleDivergence(entry: FetchedPartition, leader: { epoch: LeaderEpoch; endOffset: number }): void {
    const { log, name } = entry.partition;
    const target = decideTruncation(leader, log.endOffsetForEpoch(leader.epoch), log.logEndOffset);
    const fields = { partition: name, from: log.logEndOffset, to: target, highWatermark: log.highWatermark };
    if (target < log.highWatermark)
      this.#options.environment.logger.warn(fields, 'cutting committed records: the leader lacks them');
    else this.#options.environment.logger.info(fields, 'cutting the log where it diverges from the leader');
    this.#cut(entry, { kind: 'truncate', offset: target });
  }

  /** The reply carries the bounds of the leader's log; see ReplicaFetchPartitionReply. */
  #handleOutOfRange(entry: FetchedPartition, part: ReplicaFetchPartitionReply): void {
    const { log, name } = entry.partition;
    const end = part.divergingEpoch?.endOffset;
    if (end === undefined) {
      this.backOff(entry);
      return;
    }
    const fields = {
      partition: name,
      end: log.logEndOffset,
      leaderStart: part.logStartOffset,
      leaderEnd: end,
    };
    this.#options.environment.logger.warn(fields, 'the log is outside of the range the leader holds');
    if (log.logEndOffset > end) this.#cut(entry, { kind: 'truncate', offset: end });
    else if (log.logEndOffset < part.logStartOffset)
      this.#cut(entry, { kind: 'restart', offset: part.logStartOffset });
    else this.backOff(entry);
  }

  /** `next` runs right after, before anybody else can move the log. */
  #cut(entry: FetchedPartition, cut: Cut, next = (): void => {}): void {
    const { log } = entry.partition;
    const before = [log.logEndOffset, log.latestEpoch];
    entry.state = 'truncating';
    this.#options.truncate(entry.partition, entry.leaderEpoch, cut).then(
      () => {
        if (entry.state !== 'truncating') return;
        entry.state = 'ready';
        next();
        // Each round lowers the end or the epoch; one that does not would never end.
        if (before[0] === log.logEndOffset && before[1] === log.latestEpoch) this.backOff(entry);
        else this.#options.change(entry);
      },
      (error: unknown) => {
        this.#options.report(error, 'the log could not be cut');
        if (entry.state === 'truncating') this.backOff(entry);
      },
    );
  }

  /** Asks again, after a while. */
  backOff(entry: FetchedPartition): void {
    entry.state = 'backing-off';
    const delayMs = entry.nextBackoffMs(this.#options.config.replicaFetchBackoffMs);
    entry.timer = this.#options.environment.timers.after(delayMs, () => {
      if (entry.state !== 'backing-off') return;
      entry.state = 'ready';
      this.#options.change(entry);
    });
  }
}

/**
 * Where the first batch begins when that is before the end of an empty log and the batch reaches beyond it: deleted records
 * end within a batch, which is kept and sent whole. Source: KAFKA-6975.
 */
function beginsBefore(
  log: { readonly logStartOffset: Offset; readonly logEndOffset: Offset },
  { batches: [first] }: ReplicaFetchPartitionReply,
): Offset | undefined {
  if (first === undefined || log.logStartOffset < log.logEndOffset || first.length < BATCH_HEADER_BYTES)
    return undefined;
  const base = batchBaseOffset(first);
  return base >= 0 && base < log.logEndOffset && batchLastOffset(first) >= log.logEndOffset
    ? base
    : undefined;
}
