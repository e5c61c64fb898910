/**
 * What a broker does with the place of a replica: host the log it has, make one, replace a damaged one, or leave it.
 *
 * Law: an empty log takes the place of one that held records only while the committed metadata have this replica neither
 * in sync nor as leader, and cannot take it back: its directory is known to be lost, or gone from this broker. Only then
 * can nobody count the empty log for the one it replaces. The last in-sync replica waits for a person.
 *
 * A log in another directory than the metadata name is the replica's, moved by a person, while the named one is there to
 * say that it has none. Is the named one gone, it may be an older one that came back with its disk: then it counts no more
 * than an empty one.
 *
 * A replica whose directory nobody told may live in a directory that is offline now, unless it is new: a partition that
 * nothing happened to since it was made, or that came with metadata after this broker's registration.
 * Source: KIP-112, KIP-858; Kafka's LogManager.getOrCreateLog.
 */
import type { NodeId, Uuid } from '../../../base/index.ts';
import {
  directoryOf,
  LOST_DIRECTORY,
  type PartitionRegistration,
  UNASSIGNED_DIRECTORY,
} from '../../../metadata/index.ts';

export interface Place {
  readonly nodeId: NodeId;
  readonly registration: PartitionRegistration;
  /** The partition was not there when this broker registered. */
  readonly isNew: boolean;
  /** Of the partition's log here. `offline`: its directory has failed. */
  readonly log: 'none' | 'sound' | 'damaged' | 'offline';
  /** The directory of that log; undefined: there is none, or its directory has no id. */
  readonly foundIn: Uuid | undefined;
  /** This broker's directories that can be used. */
  readonly online: readonly Uuid[];
  /** Of this broker, offline ones included. */
  readonly directoryCount: number;
  /** One of its directories cannot be used, and may hold anything. */
  readonly someOffline: boolean;
}

export type PlaceDecision =
  | { readonly kind: 'host' }
  /** In this directory; absent: in any. */
  | { readonly kind: 'make'; readonly directoryId?: Uuid }
  /** Set the damaged files aside, then decide anew. */
  | { readonly kind: 'replace' }
  /** `mustAct`: nothing but a person brings it back. */
  | { readonly kind: 'leave'; readonly why: string; readonly mustAct: boolean };

export function decidePlace(place: Place): PlaceDecision {
  const { nodeId, registration, log } = place;
  const directoryId = directoryOf(registration, nodeId);
  if (log === 'offline') return { kind: 'host' };
  if (log === 'sound') return decideSound(place, directoryId);
  if (log === 'damaged')
    return directoryId === LOST_DIRECTORY && !countsOn(place) ? { kind: 'replace' } : { kind: 'host' };
  return decideMissing(place, directoryId);
}

function decideSound(place: Place, directoryId: Uuid): PlaceDecision {
  const { foundIn, online } = place;
  const isNamed = directoryId !== UNASSIGNED_DIRECTORY && directoryId !== LOST_DIRECTORY;
  if (!isNamed || foundIn === undefined || online.includes(directoryId)) return { kind: 'host' };
  if (foundIn === directoryId || !countsOn(place)) return { kind: 'host' };
  return {
    kind: 'leave',
    why:
      `it is the last replica in sync with its log in the directory ${directoryId}, which is not here; ` +
      `the log that was found in ${foundIn} may be an older one`,
    mustAct: true,
  };
}

function decideMissing(place: Place, directoryId: Uuid): PlaceDecision {
  const { registration, isNew, online, someOffline, directoryCount } = place;
  const isOnline = online.includes(directoryId);
  const make: PlaceDecision = isOnline ? { kind: 'make', directoryId } : { kind: 'make' };
  if (isNew || registration.partitionEpoch === 0) return make;
  // A broker with one directory has it named for it before the log is made, one with several names it afterwards.
  if (isOnline && directoryCount > 1 && countsOn(place))
    return {
      kind: 'leave',
      why: `its log in ${directoryId} is gone, and it counts as in sync`,
      mustAct: true,
    };
  if (isOnline) return make;
  if (directoryId !== LOST_DIRECTORY && someOffline)
    return { kind: 'leave', why: 'a data directory of this broker is offline', mustAct: false };
  if (directoryId === UNASSIGNED_DIRECTORY || !countsOn(place)) return make;
  const why =
    directoryId === LOST_DIRECTORY
      ? 'its log is lost, and it is the last replica in sync'
      : `its log is in the directory ${directoryId}, which this broker has no more, and it is the last replica in sync`;
  return { kind: 'leave', why, mustAct: true };
}

/** The cluster believes that this replica has every acknowledged record. */
function countsOn({ nodeId, registration: { isr, leader } }: Place): boolean {
  return leader === nodeId || isr.includes(nodeId);
}
