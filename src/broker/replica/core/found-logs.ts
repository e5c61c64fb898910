/**
 * Which of the logs that a start found are replicas, of all that bear one name.
 *
 * Several bear it when a directory was away for a while: its logs were made anew in another one, or their topic was deleted
 * and another got the name. Laws: a log of a topic that the metadata do not know is nobody's, and no proof of a deletion
 * either. Of several logs of one partition, the one in the directory that the metadata name is the replica's, whatever its
 * state; when none of them is in it, which is the newer cannot be told, and none is served. Source: KIP-858.
 */
import { type NodeId, type Uuid, ZERO_UUID } from '../../../base/index.ts';
import { directoryOf, type PartitionRegistration } from '../../../metadata/index.ts';

export interface FoundLog {
  /** ZERO_UUID: it does not say whose it is. */
  readonly topicId: Uuid;
  /** undefined: its directory has no id. */
  readonly directoryId: Uuid | undefined;
}

export interface NamedPartition {
  readonly topicId: Uuid;
  readonly registration: PartitionRegistration;
}

/** `twin`: one of several, none of which can be trusted. */
export type LogClaim = 'replica' | 'unknown-topic' | 'no-replica' | 'outdated' | 'twin';

/** One claim for each of `found`, in order. `named`: the partition that bears the name now, if there is one. */
export function judgeFoundLogs(
  found: readonly FoundLog[],
  named: NamedPartition | undefined,
  nodeId: NodeId,
): LogClaim[] {
  const isOurs = named?.registration.replicas.includes(nodeId) === true;
  const isCandidate = ({ topicId }: FoundLog): boolean => topicId === ZERO_UUID || topicId === named?.topicId;
  const candidates = found.filter(isCandidate);
  const home = isOurs ? directoryOf(named.registration, nodeId) : undefined;
  const own = candidates.find(({ directoryId }) => directoryId !== undefined && directoryId === home);
  return found.map((log): LogClaim => {
    if (!isCandidate(log)) return 'unknown-topic';
    if (candidates.length > 1 && isOurs)
      return own === undefined ? 'twin' : log === own ? 'replica' : 'outdated';
    if (log.topicId !== ZERO_UUID && !isOurs) return 'no-replica';
    return 'replica';
  });
}
