/**
 * Who leads a partition: values in, values out.
 *
 * A candidate is valid when it is acceptable (alive, and not about to go) and in the in-sync set that is to be; only a valid
 * one holds every acknowledged record. The unclean mode takes any acceptable replica before it takes none, which may lose
 * acknowledged records. Source: Kafka's PartitionChangeBuilder; KIP-106 (unclean off by default).
 */
import { NONE, type NodeId } from '../../base/index.ts';

export interface Candidates {
  /** In order of preference. */
  readonly replicas: readonly NodeId[];
  readonly targetIsr: readonly NodeId[];
  /** -1: none. */
  readonly currentLeader: NodeId;
  readonly isAcceptable: (id: NodeId) => boolean;
}

/**
 * online: keep the leader when it is valid, else the first valid replica. unclean: as online, and before no leader at all
 * the first acceptable replica. preferred: the first replica when it is valid, else as online.
 */
export type ElectionMode = 'online' | 'unclean' | 'preferred';

export interface Election {
  /** -1: nobody can. */
  readonly leader: NodeId;
  /** The winner is not in the in-sync set. */
  readonly unclean: boolean;
}

export function elect(
  { replicas, targetIsr, currentLeader, isAcceptable }: Candidates,
  mode: ElectionMode,
): Election {
  const isValid = (id: NodeId): boolean => targetIsr.includes(id) && isAcceptable(id);
  const preferred = replicas[0];
  if (mode === 'preferred' && preferred !== undefined && isValid(preferred))
    return { leader: preferred, unclean: false };
  if (isValid(currentLeader)) return { leader: currentLeader, unclean: false };
  const valid = replicas.find(isValid);
  if (valid !== undefined) return { leader: valid, unclean: false };
  const any = mode === 'unclean' ? replicas.find(isAcceptable) : undefined;
  return any === undefined ? { leader: NONE, unclean: false } : { leader: any, unclean: true };
}
