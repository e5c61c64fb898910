/**
 * In which data directory of its broker a replica lives, and whether that one can be used.
 *
 * A registration names the directories that are online. Laws: a replica whose directory is known and not online is not
 * in sync but as the last member, is not elected, and does not join; one whose directory nobody told counts as online,
 * for its broker is. Reserved ids are never the id of a directory. Source: KIP-858.
 */
import { type NodeId, type Uuid, ZERO_UUID } from '../../base/index.ts';
import { type ClusterImage, isActiveBroker } from './cluster.ts';
import type { PartitionRegistration } from './partition.ts';

/** The broker has not said yet where the replica lives. */
export const UNASSIGNED_DIRECTORY: Uuid = ZERO_UUID;
/** The replica's log is damaged or gone: it holds nothing that may be counted on. */
export const LOST_DIRECTORY: Uuid = 'AAAAAAAAAAAAAAAAAAAAAQ';
/** Kafka's id for a replica whose directory is not known since before there were such ids; never written here. */
const MIGRATING_DIRECTORY: Uuid = 'AAAAAAAAAAAAAAAAAAAAAg';

export function isReservedDirectory(id: Uuid): boolean {
  return id === UNASSIGNED_DIRECTORY || id === LOST_DIRECTORY || id === MIGRATING_DIRECTORY;
}

type Placed = Pick<PartitionRegistration, 'replicas' | 'directories'>;

/** UNASSIGNED_DIRECTORY also for a broker that is no replica. */
export function directoryOf({ replicas, directories }: Placed, brokerId: NodeId): Uuid {
  return directories[replicas.indexOf(brokerId)] ?? UNASSIGNED_DIRECTORY;
}

/** True when nothing is known against the directory of the replica; says nothing of whether its broker lives. */
export function isDirectoryOnline(cluster: ClusterImage, partition: Placed, brokerId: NodeId): boolean {
  const directory = directoryOf(partition, brokerId);
  if (directory === UNASSIGNED_DIRECTORY) return true;
  return cluster.brokers.get(brokerId)?.logDirs.includes(directory) === true;
}

/** True when the replica may lead and be in sync: its broker is active and its directory online. */
export function isActiveReplica(cluster: ClusterImage, partition: Placed, brokerId: NodeId): boolean {
  return isActiveBroker(cluster, brokerId) && isDirectoryOnline(cluster, partition, brokerId);
}
