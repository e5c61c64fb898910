/**
 * The order of a round: logs by topic and partition, segments by base offset. A place in it outlives restarts, and logs
 * that come and go. Pure.
 */
import type { Offset, PartitionId } from '../../base/index.ts';

export interface LogName {
  readonly topic: string;
  readonly partition: PartitionId;
}

/** The last segment that is done. */
export interface ScrubPlace extends LogName {
  readonly baseOffset: Offset;
}

export function compareNames(a: LogName, b: LogName): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  return a.partition - b.partition;
}

/** The logs that a round still has to look at, in its order. */
export function logsFrom<L extends LogName>(logs: Iterable<L>, after: ScrubPlace | undefined): L[] {
  const left = [...logs].filter((log) => after === undefined || compareNames(log, after) >= 0);
  return left.sort(compareNames);
}

/** Whether the segment of `log` at `baseOffset` comes after the place. */
export function isAfter(log: LogName, baseOffset: Offset, after: ScrubPlace | undefined): boolean {
  if (after === undefined) return true;
  const order = compareNames(log, after);
  return order > 0 || (order === 0 && baseOffset > after.baseOffset);
}
