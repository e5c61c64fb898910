/**
 * Offsets by time, as the leader answers them: nothing at or above the bound of the isolation exists for the caller, and
 * while a new leader's high watermark is stale it says so rather than go back in time. Source: KIP-207; Kafka's
 * Partition.fetchOffsetForTimestamp.
 *
 * The epoch that comes with an offset is the one of its record, by which a consumer that starts there notices when the
 * record has been truncated (KIP-320); with the end it is the leader's own.
 */
import { ApiError, type LeaderEpoch, NONE, type Offset } from '../../base/index.ts';
import {
  EARLIEST_TIMESTAMP,
  type IsolationLevel,
  LATEST_TIMESTAMP,
  type ListOffsetsPartition,
  type ListOffsetsPartitionReply,
  MAX_TIMESTAMP,
} from '../../rpc/api/index.ts';
import { assertLeader } from './consumer-fetches.ts';
import type { Partition } from './partition.ts';

/** Throws ApiError: the epoch errors, OFFSET_NOT_AVAILABLE, INVALID_REQUEST for a timestamp below -3. */
export async function lookUpOffset(
  partition: Partition,
  request: ListOffsetsPartition,
  isolation: IsolationLevel,
): Promise<ListOffsetsPartitionReply> {
  assertLeader(partition, request.currentLeaderEpoch);
  const { log, state } = partition;
  const { leaderEpoch } = state;
  const bound = isolation === 'read_committed' ? partition.lastStableOffset : log.highWatermark;
  const reply = (offset: Offset, timestampMs: number, epoch: LeaderEpoch): ListOffsetsPartitionReply => ({
    error: 'NONE',
    topic: request.topic,
    partition: request.partition,
    offset,
    timestampMs,
    leaderEpoch: epoch,
  });
  const { timestampMs } = request;
  if (timestampMs === EARLIEST_TIMESTAMP)
    return reply(log.logStartOffset, NONE, log.epochAt(log.logStartOffset));
  if (timestampMs === LATEST_TIMESTAMP) {
    assertHighWatermarkKnown(partition);
    return reply(bound, NONE, leaderEpoch);
  }
  if (timestampMs < 0 && timestampMs !== MAX_TIMESTAMP)
    throw new ApiError('INVALID_REQUEST', `timestamp ${timestampMs} has no meaning`);
  const found = await (timestampMs === MAX_TIMESTAMP
    ? log.maxTimestamp()
    : log.offsetForTimestamp(timestampMs));
  assertLeader(partition, leaderEpoch);
  if (found !== undefined && found.offset < bound)
    return reply(found.offset, found.timestampMs, log.epochAt(found.offset));
  assertHighWatermarkKnown(partition);
  return reply(NONE, NONE, NONE);
}

function assertHighWatermarkKnown(partition: Partition): void {
  if (!partition.highWatermarkIsStale) return;
  const { name, log, state } = partition;
  throw new ApiError(
    'OFFSET_NOT_AVAILABLE',
    `the new leader of ${name} knows ${log.highWatermark} as committed; it must reach ${state.epochStartOffset} first`,
  );
}
