/**
 * Below which offset no live replica holds a record any more: the smallest log start of the leader and of every assigned
 * replica whose broker is alive. One that is down does not hold a deletion up: it takes the log start over when it is
 * back, before it may lead. Source: Kafka's Partition.lowWatermarkIfLeader.
 */
import type { NodeId, Offset } from '../../../base/index.ts';
import type { BrokerLookup } from './eligibility.ts';
import type { PartitionState } from './partition-state.ts';

/** -1: a live replica has not said yet where its log starts. `ownLogStart`: of the leader's log. */
export function lowWatermarkOf(state: PartitionState, ownLogStart: Offset, brokers: BrokerLookup): Offset {
  let low = ownLogStart;
  for (const [id, { logStartOffset }] of state.followers)
    if (isAlive(brokers, id)) low = Math.min(low, logStartOffset);
  return low;
}

/** The brokers whose log still starts below `offset`, ascending. */
export function brokersBelow(
  state: PartitionState,
  ownLogStart: Offset,
  brokers: BrokerLookup,
  offset: Offset,
): NodeId[] {
  const behind = ownLogStart < offset ? [state.nodeId] : [];
  for (const [id, { logStartOffset }] of state.followers)
    if (logStartOffset < offset && isAlive(brokers, id)) behind.push(id);
  return behind.sort((a, b) => a - b);
}

function isAlive(brokers: BrokerLookup, id: NodeId): boolean {
  return brokers(id)?.fenced === false;
}
