/** What a client is told when the leadership is elsewhere. */
import type { PartitionState } from './partition-state.ts';

export function notLeaderText(name: string, state: PartitionState): string {
  return `${name} is led by ${state.leaderId < 0 ? 'nobody now' : `broker ${state.leaderId}`}`;
}

export function leadershipMovedText(name: string, state: PartitionState): string {
  return `the leader epoch of ${name} became ${state.leaderEpoch} while the request waited; the records may be committed yet`;
}
