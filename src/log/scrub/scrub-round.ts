/**
 * The order of a round: logs by topic and partition, segments by base offset. A place in it outlives restarts, and logs
 * that come and go. Pure.
 */
import type { Offset, PartitionId } from '../../base/index.ts';

/** Below every offset. */
const BEFORE_ANY = -1;

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

/** Up to where the place says that the segments of `log` are done: below the first offset when it is not in `log`. */
export function doneOf(log: LogName, after: ScrubPlace | undefined): Offset {
  return after !== undefined && compareNames(log, after) === 0 ? after.baseOffset : BEFORE_ANY;
}
