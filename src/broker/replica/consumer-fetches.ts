/**
 * Fetches of consumers from this broker's leaders: read what is below the bound of their isolation; with too little of it
 * wait until a partition moves, and read again.
 *
 * A fetch ends at once when it has `minBytes`, when any partition has an error or more than was read, or when it may not
 * wait. Offsets are taken before the read, so that a reply is never ahead of itself. The bound is the high watermark:
 * records above it may vanish.
 * Source: KIP-207, KIP-320; Kafka's DelayedFetch.
 */
import { ApiError, NONE, type Offset } from '../../base/index.ts';
import type { Clock, Timers } from '../../env/index.ts';
import { batches } from '../../log/record/index.ts';
import type {
  FetchPartition,
  FetchPartitionReply,
  IsolationLevel,
  PartitionRef,
} from '../../rpc/api/index.ts';
import { outcomeOf } from '../flow/outcome.ts';
import { leaderEpochProblem } from './core/follower-fetch.ts';
import { PARKED_FETCHES_MAX } from './limits.ts';
import { Parking } from './parking.ts';
import type { Partition } from './partition.ts';

const NO_BYTES = new Uint8Array();

export interface FetchWork {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  /** Of all partitions together; the first batch of the first non-empty one comes even when larger. */
  readonly maxBytes: number;
  readonly isolation: IsolationLevel;
  readonly partitions: readonly FetchPartition[];
  /** Aborted: nobody waits for the reply any more. */
  readonly signal: AbortSignal;
}

export interface ConsumerFetchesOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly find: (ref: PartitionRef) => Partition | ApiError;
  readonly report: (error: unknown, what: string) => void;
}

interface Round {
  readonly replies: FetchPartitionReply[];
  readonly sizeBytes: number;
  readonly hasError: boolean;
}

export class ConsumerFetches {
  readonly #options: ConsumerFetchesOptions;
  readonly #parking: Parking;

  constructor(options: ConsumerFetchesOptions) {
    this.#options = options;
    this.#parking = new Parking(options.timers, PARKED_FETCHES_MAX);
  }

  get parkedCount(): number {
    return this.#parking.size;
  }

  /** One reply per partition, in order. RESOURCE_EXHAUSTED when it would have to wait and too many do. */
  async fetch(work: FetchWork): Promise<FetchPartitionReply[]> {
    const { clock } = this.#options;
    const deadlineMs = clock.monotonicMs() + work.maxWaitMs;
    const minBytes = Math.min(work.minBytes, work.maxBytes);
    for (;;) {
      const partitions = this.#hosted(work.partitions);
      const seen = revisionOf(partitions);
      const round = await this.#read(work);
      const leftMs = deadlineMs - clock.monotonicMs();
      const enough = round.hasError || round.sizeBytes >= minBytes || leavesSome(work, round);
      if (enough || leftMs <= 0 || work.signal.aborted || this.#parking.closed) return round.replies;
      // What moved while the read was under way would not wake anybody any more.
      if (revisionOf(partitions) === seen) await this.#parking.park(partitions, leftMs, work.signal);
    }
  }

  close(): void {
    this.#parking.close();
  }

  async #read(work: FetchWork): Promise<Round> {
    const replies: FetchPartitionReply[] = [];
    let leftBytes = work.maxBytes;
    let hasError = false;
    for (const request of work.partitions) {
      let reply: FetchPartitionReply;
      try {
        const atLeastOne = leftBytes === work.maxBytes;
        const read = this.#readOne(request, work.isolation, leftBytes, atLeastOne);
        reply = read instanceof Promise ? await read : read;
      } catch (error) {
        if (!(error instanceof ApiError)) this.#options.report(error, 'fetch failed');
        reply = failedReply(request, error);
        hasError = true;
      }
      for (const bytes of reply.batches) leftBytes -= bytes.length;
      replies.push(reply);
    }
    return { replies, sizeBytes: work.maxBytes - leftBytes, hasError };
  }

  #readOne(
    request: FetchPartition,
    isolation: IsolationLevel,
    leftBytes: number,
    atLeastOne: boolean,
  ): FetchPartitionReply | Promise<FetchPartitionReply> {
    const partition = this.#options.find(request);
    if (partition instanceof ApiError) throw partition;
    const { log, state } = partition;
    assertLeader(partition, request.currentLeaderEpoch);
    const snapshot = {
      highWatermark: log.highWatermark,
      lastStableOffset: partition.lastStableOffset,
      logStartOffset: log.logStartOffset,
    };
    assertInRange(partition, request.fetchOffset);
    const upperBound = isolation === 'read_committed' ? snapshot.lastStableOffset : snapshot.highWatermark;
    const reply = (batches: readonly Uint8Array[]): FetchPartitionReply => ({
      error: 'NONE',
      topic: request.topic,
      partition: request.partition,
      ...snapshot,
      batches,
      records: [],
    });
    if (request.fetchOffset >= upperBound || leftBytes <= 0) return reply([]);
    const maxBytes = Math.min(request.maxBytes, leftBytes);
    const read = log.read(request.fetchOffset, { maxBytes, upperBound, atLeastOne });
    if (!(read instanceof Promise)) return reply(read.batches);
    const { leaderEpoch } = state;
    return read.then(({ batches }) => {
      // The log may have been cut while the disk was read.
      assertLeader(partition, leaderEpoch);
      return reply(batches);
    });
  }

  #hosted(requests: readonly FetchPartition[]): Partition[] {
    const partitions: Partition[] = [];
    for (const request of requests) {
      const found = this.#options.find(request);
      if (!(found instanceof ApiError)) partitions.push(found);
    }
    return partitions;
  }
}

/** Throws what a request that believes in `epoch` and needs the leader, and its log, has to be told. */
export function assertLeader(partition: Partition, epoch: number): void {
  const problem = leaderEpochProblem(partition.state, epoch);
  if (problem === undefined) {
    if (partition.log.failure !== undefined) throw new ApiError('KAFKA_STORAGE_ERROR');
    return;
  }
  const { name, state } = partition;
  const leader = state.leaderId === NONE ? 'no broker' : `broker ${state.leaderId}`;
  throw new ApiError(
    problem,
    `${name} is at leader epoch ${state.leaderEpoch}, led by ${leader}; asked with ${epoch}`,
  );
}

function assertInRange({ name, log }: Partition, fetchOffset: Offset): void {
  if (fetchOffset >= log.logStartOffset && fetchOffset <= log.logEndOffset) return;
  throw new ApiError(
    'OFFSET_OUT_OF_RANGE',
    `offset ${fetchOffset} is outside of ${name}, which holds ${log.logStartOffset} to ${log.logEndOffset}`,
  );
}

/** Behind what was read there is more: of a segment that follows, or beyond a limit. Who waits gets none of it. */
function leavesSome({ partitions, isolation }: FetchWork, { replies, sizeBytes }: Round): boolean {
  if (sizeBytes === 0) return false;
  return replies.some(({ batches: read, highWatermark, lastStableOffset }, index) => {
    const bound = isolation === 'read_committed' ? lastStableOffset : highWatermark;
    return endOf(read, partitions[index]?.fetchOffset ?? 0) < bound;
  });
}

/** Of what begins at `from`. */
function endOf(read: readonly Uint8Array[], from: Offset): Offset {
  let end = from;
  for (const { header } of batches(read.at(-1) ?? NO_BYTES)) end = header.lastOffset + 1;
  return end;
}

function revisionOf(partitions: readonly Partition[]): number {
  let sum = 0;
  for (const partition of partitions) sum += partition.revision;
  return sum;
}

function failedReply({ topic, partition }: FetchPartition, error: unknown): FetchPartitionReply {
  return {
    ...outcomeOf(error),
    topic,
    partition,
    highWatermark: NONE,
    lastStableOffset: NONE,
    logStartOffset: NONE,
    batches: [],
    records: [],
  };
}
