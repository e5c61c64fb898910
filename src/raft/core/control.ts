import type { NodeId } from '../../base/index.ts';
import type { Entry, VoterKey } from './messages.ts';

/**
 * Payload of the control entry that opens an epoch: JSON, UTF-8, one object.
 *
 *   { "kind": "leader-change", "version": 0, "leaderId": n, "voters": [key...], "grantingVoters": [id...] }
 *
 * Nothing depends on reading it; it tells a person who looks at a log who led, and by whose votes. Source: KIP-595
 * LeaderChangeMessage.
 */
export interface LeaderChange {
  readonly leaderId: NodeId;
  readonly voters: readonly VoterKey[];
  readonly grantingVoters: readonly NodeId[];
}

export function encodeLeaderChange(change: LeaderChange): Uint8Array {
  const { leaderId, voters, grantingVoters } = change;
  const keys = voters.map(({ id, directoryId }) => ({ id, directoryId }));
  return Buffer.from(
    JSON.stringify({ kind: 'leader-change', version: 0, leaderId, voters: keys, grantingVoters }),
  );
}

/** Undefined when `entry` is not a leader change this version can read. */
export function decodeLeaderChange(entry: Entry): LeaderChange | undefined {
  if (entry.kind !== 'control') return undefined;
  const value: unknown = JSON.parse(Buffer.from(entry.payload).toString());
  const change = value as Partial<LeaderChange> & { kind?: string; version?: number };
  if (change.kind !== 'leader-change' || change.version !== 0) return undefined;
  if (typeof change.leaderId !== 'number') return undefined;
  return {
    leaderId: change.leaderId,
    voters: change.voters ?? [],
    grantingVoters: change.grantingVoters ?? [],
  };
}
