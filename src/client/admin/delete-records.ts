/**
 * Deletion of the oldest records of partitions. Any broker takes all of it; what is refused only for now, while a leader
 * is being elected say, is asked again until the time is over. Asking again is harmless.
 */
import { ApiError, type ErrorCode, type Offset, type TopicPartition } from '../../base/index.ts';
import { sleep } from '../../env/index.ts';
import { type DeletedRecords, HIGH_WATERMARK_OFFSET } from '../../rpc/api/index.ts';
import { type Backoff, backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster/cluster.ts';

/** `before` 100: records 0 to 99. `'end'`: all that are committed when the leader is asked. */
export interface RecordsToDelete extends TopicPartition {
  readonly before: Offset | 'end';
}

/** What came of one partition. */
export interface RecordsDeleted extends TopicPartition {
  /** NONE: done. */
  readonly error: ErrorCode;
  readonly errorMessage?: string;
  /** No live replica holds a record below it; -1 on error. */
  readonly lowWatermark: Offset;
}

export interface DeleteRecordsOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const RETRY: Backoff = { firstMs: 50, maxMs: 1000, factor: 1.5 };
/** Passes with an election or a new metadata image. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'OFFSET_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'RESOURCE_EXHAUSTED',
]);

/** One outcome per partition, in order. Throws ApiError when nobody answers, or for an offset that cannot be. */
export async function deleteRecords(
  cluster: Cluster,
  records: readonly RecordsToDelete[],
  options: DeleteRecordsOptions,
): Promise<readonly RecordsDeleted[]> {
  const { clock, timers, random } = cluster.environment;
  const deadlineMs = clock.monotonicMs() + options.timeoutMs;
  const partitions = records.map(({ topic, partition, before }) => {
    const beforeOffset = before === 'end' ? HIGH_WATERMARK_OFFSET : before;
    if (before !== 'end' && (!Number.isSafeInteger(before) || before < 0))
      throw new ApiError('INVALID_REQUEST', `${topic}-${partition}: ${before} is no offset`);
    return { topic, partition, beforeOffset };
  });
  const outcomes = new Map<number, DeletedRecords>();
  const isOpen = (index: number): boolean =>
    PASSING.has(outcomes.get(index)?.error ?? 'LEADER_NOT_AVAILABLE');
  for (let failures = 1; ; failures++) {
    const open = [...partitions.keys()].filter(isOpen);
    const leftMs = Math.max(1, deadlineMs - clock.monotonicMs());
    const reply = await cluster.ask(
      'deleting records',
      ({ admin }, call) => {
        const asked = open.flatMap((index) => partitions[index] ?? []);
        const timeoutMs = call.timeoutMs ?? leftMs;
        return admin.deleteRecords({ partitions: asked, timeoutMs: brokerTimeoutMs(timeoutMs) }, call);
      },
      { timeoutMs: leftMs, signal: options.signal },
    );
    for (const [at, index] of open.entries()) {
      const outcome = reply.partitions[at];
      if (outcome !== undefined) outcomes.set(index, outcome);
    }
    const waitMs = backoffMs(failures, RETRY, random);
    if (!open.some(isOpen) || clock.monotonicMs() + waitMs >= deadlineMs) break;
    await sleep(timers, waitMs, options.signal);
  }
  return partitions.map((asked, index) => toOutcome(asked, outcomes.get(index)));
}

/** The broker gives up before the call does, so that its reason arrives: two hops for the answer. */
function brokerTimeoutMs(callMs: number): number {
  return Math.max(1, Math.floor(callMs - Math.min(1_000, callMs / 2)));
}

function toOutcome({ topic, partition }: TopicPartition, reply: DeletedRecords | undefined): RecordsDeleted {
  const { error = 'UNKNOWN_SERVER_ERROR', errorMessage, lowWatermark = -1 } = reply ?? {};
  return { topic, partition, error, lowWatermark, ...(errorMessage === undefined ? {} : { errorMessage }) };
}
