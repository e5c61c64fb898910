import {
  type Offset,
  type PartitionId,
  StartupError,
  type TopicPartition,
  type WallMs,
} from '../../base/index.ts';
import type { IsolationLevel } from '../../rpc/api/index.ts';

/**
 * Where reading begins. `timestampMs`: at the first record of that time or later; the end when there is none.
 */
export type StartPosition =
  | 'beginning'
  | 'end'
  | { readonly offset: Offset }
  | { readonly timestampMs: WallMs };

/**
 * What to do when the log no longer, or not yet, has the offset. 'none': the iteration throws
 * OFFSET_OUT_OF_RANGE.
 */
export type OffsetReset = 'earliest' | 'latest' | 'none';

/** Which partitions to read, and how. Either `topic` (with or without `partitions`) or `assignment`. */
export interface ConsumerOptions {
  readonly topic?: string;
  /** Of `topic`. Default: all it has when reading starts. */
  readonly partitions?: readonly PartitionId[];
  readonly assignment?: readonly (TopicPartition & { readonly from?: StartPosition })[];
  /** Default 'end': what is written after the consumer is ready. */
  readonly from?: StartPosition;
  /** Default: 'earliest' with from 'beginning', 'latest' with 'end', else 'none'. */
  readonly offsetReset?: OffsetReset;
  /** Default 'read_uncommitted', which shows all that is replicated but aborted transactions too. */
  readonly isolation?: IsolationLevel;
  /** A fetch waits this long for `minBytes`. Default 500. */
  readonly maxWaitMs?: number;
  /** Default 1. */
  readonly minBytes?: number;
  /** Bytes of one fetch. Default 52428800; a larger batch comes whole. */
  readonly maxBytes?: number;
  /** Bytes of one partition in a fetch. Default 1048576. */
  readonly maxPartitionBytes?: number;
  /** Bytes fetched ahead of the reader; no fetch is sent beyond. Default 16777216. */
  readonly prefetchBytes?: number;
  /**
   * Records that are decoded ahead of the reader, and the longest array of `batches()`. Default 500. A batch of a few
   * KB may hold millions of records.
   */
  readonly maxPollRecords?: number;
  /** Compare the checksum of every batch. Default true. */
  readonly checkCrcs?: boolean;
  /** Default 30000. */
  readonly requestTimeoutMs?: number;
  /** Ends the iteration, as if the log ended. */
  readonly signal?: AbortSignal;
}

export interface ConsumerConfig {
  readonly offsetReset: OffsetReset;
  readonly isolation: IsolationLevel;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
  readonly prefetchBytes: number;
  readonly maxPollRecords: number;
  readonly checkCrcs: boolean;
  readonly requestTimeoutMs: number;
}

export function consumerConfig(options: ConsumerOptions): ConsumerConfig {
  if ((options.topic === undefined) === (options.assignment === undefined))
    throw new StartupError('a consumer needs either a topic or an assignment');
  const { maxPollRecords = 500 } = options;
  if (!Number.isInteger(maxPollRecords) || maxPollRecords < 1)
    throw new StartupError(`maxPollRecords is ${maxPollRecords}; it is a whole number of 1 or more`);
  return {
    offsetReset: options.offsetReset ?? defaultReset(options.from ?? 'end'),
    isolation: options.isolation ?? 'read_uncommitted',
    maxWaitMs: options.maxWaitMs ?? 500,
    minBytes: options.minBytes ?? 1,
    maxBytes: options.maxBytes ?? 52_428_800,
    maxPartitionBytes: options.maxPartitionBytes ?? 1_048_576,
    prefetchBytes: options.prefetchBytes ?? 16_777_216,
    maxPollRecords,
    checkCrcs: options.checkCrcs ?? true,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
  };
}

function defaultReset(from: StartPosition): OffsetReset {
  if (from === 'beginning') return 'earliest';
  return from === 'end' ? 'latest' : 'none';
}
