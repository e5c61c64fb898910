/** Replicas of a topic that is to be made: as asked for, or placed. */
import { NONE, type NodeId, type Random } from '../../base/index.ts';
import { refuse } from '../../machine/index.ts';
import type { CreatableTopic } from '../../rpc/api/index.ts';
import { type ClusterImage, isActiveBroker } from '../image/cluster.ts';
import { placementProblem, placeReplicas } from '../placement/index.ts';
import type { ControllerConfig } from './config.ts';
import { RECORDS_MAX } from './config.ts';

export interface Assigned {
  readonly kind: 'assigned';
  /** Per partition; the first active one leads. */
  readonly replicas: readonly (readonly NodeId[])[];
}

export function assignReplicas(
  cluster: ClusterImage,
  topic: CreatableTopic,
  config: ControllerConfig,
  random: Random,
): Assigned | ReturnType<typeof refuse> {
  return topic.assignments.length > 0 ? asAskedFor(cluster, topic) : placed(cluster, topic, config, random);
}

function asAskedFor(cluster: ClusterImage, topic: CreatableTopic): Assigned | ReturnType<typeof refuse> {
  const { assignments } = topic;
  if (topic.partitions !== NONE || topic.replicationFactor !== NONE)
    return refuse(
      'INVALID_REQUEST',
      'with an assignment of replicas neither partitions nor replication factor may be given',
    );
  if (assignments.length > RECORDS_MAX) return tooMany(assignments.length);
  const problem = assignmentProblem(cluster, assignments);
  return problem === undefined
    ? { kind: 'assigned', replicas: assignments }
    : refuse('INVALID_REPLICA_ASSIGNMENT', problem);
}

function assignmentProblem(
  cluster: ClusterImage,
  assignments: readonly (readonly NodeId[])[],
): string | undefined {
  const factor = assignments[0]?.length ?? 0;
  for (const [partition, replicas] of assignments.entries()) {
    if (replicas.length === 0) return `partition ${partition} has no replica`;
    if (new Set(replicas).size < replicas.length)
      return `partition ${partition} names a broker twice: ${replicas.join(', ')}`;
    if (replicas.length !== factor)
      return `partition ${partition} has ${replicas.length} replicas, partition 0 has ${factor}`;
    const unknown = replicas.find((id) => !cluster.brokers.has(id));
    if (unknown !== undefined)
      return `partition ${partition} names broker ${unknown}, which is not registered`;
    if (!replicas.some((id) => isActiveBroker(cluster, id)))
      return `none of the brokers of partition ${partition} is alive: ${replicas.join(', ')}`;
  }
  return undefined;
}

function placed(
  cluster: ClusterImage,
  topic: CreatableTopic,
  config: ControllerConfig,
  random: Random,
): Assigned | ReturnType<typeof refuse> {
  const partitions = topic.partitions === NONE ? config.numPartitions : topic.partitions;
  const factor = topic.replicationFactor === NONE ? config.defaultReplicationFactor : topic.replicationFactor;
  if (!Number.isSafeInteger(factor) || factor <= 0)
    return refuse('INVALID_REPLICATION_FACTOR', `the replication factor must be at least 1, not ${factor}`);
  if (!Number.isSafeInteger(partitions) || partitions <= 0)
    return refuse('INVALID_PARTITIONS', `the number of partitions must be at least 1, not ${partitions}`);
  if (partitions > RECORDS_MAX) return tooMany(partitions);
  const usable = [...cluster.brokers.values()].filter((broker) => !broker.inControlledShutdown);
  const problem = placementProblem(usable, factor);
  if (problem !== undefined) return refuse('INVALID_REPLICATION_FACTOR', problem);
  return { kind: 'assigned', replicas: placeReplicas(usable, partitions, factor, random) };
}

function tooMany(partitions: number): ReturnType<typeof refuse> {
  return refuse('POLICY_VIOLATION', `${partitions} partitions at once; at most ${RECORDS_MAX} are allowed`);
}
