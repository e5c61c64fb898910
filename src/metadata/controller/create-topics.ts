/**
 * New topics. Each topic of a request passes or fails alone; those that pass are written together.
 *
 * Checks in Kafka's order: name given twice, name legal, name free (also after '.' and '_' are taken for the same),
 * configuration, replicas. A new partition starts with all its active replicas in sync and the first of them leading.
 * Source: Kafka's ReplicationControlManager.createTopics.
 */
import {
  NONE,
  type NodeId,
  type PartitionId,
  randomUuid,
  topicNameProblem,
  type Uuid,
  ZERO_UUID,
} from '../../base/index.ts';
import { accept, refuse } from '../../machine/index.ts';
import type {
  CreatableTopic,
  CreatedTopic,
  CreateTopicsReply,
  CreateTopicsRequest,
} from '../../rpc/api/index.ts';
import { isActiveBroker } from '../image/cluster.ts';
import { UNASSIGNED_DIRECTORY } from '../image/directories.ts';
import { type MetadataImage, replay } from '../image/image.ts';
import type { ConfigRecord, MetadataRecord, PartitionRecord } from '../records/records.ts';
import { RECORDS_MAX } from './config.ts';
import type { DecideContext, MetadataDecision } from './context.ts';
import { assignReplicas } from './topic-assignment.ts';
import { topicConfigsProblem } from './topic-configs.ts';

export function decideCreateTopics(
  image: MetadataImage,
  request: CreateTopicsRequest,
  context: DecideContext,
): MetadataDecision<CreateTopicsReply> {
  const counts = new Map<string, number>();
  for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1);
  const records: MetadataRecord[] = [];
  const topics: CreatedTopic[] = [];
  let after = image;
  for (const topic of request.topics) {
    const isTwice = (counts.get(topic.name) ?? 0) > 1;
    const created = isTwice
      ? refuse('INVALID_REQUEST', `topic "${topic.name}" is in the request more than once`)
      : createTopic(after, topic, context);
    if (created.kind === 'refused') {
      topics.push(refusedTopic(topic, created.error));
      continue;
    }
    const { name, topicId } = created.reply;
    // The next topic of the request only has to see that this name is taken.
    after = replay(after, { kind: 'topic', name, topicId });
    records.push(...created.records);
    topics.push(created.reply);
    if (records.length > RECORDS_MAX)
      return refuse(
        'POLICY_VIOLATION',
        `the request makes more than ${RECORDS_MAX} records; create fewer topics or partitions at once`,
      );
  }
  return accept(request.validateOnly ? [] : records, { topics });
}

type Created = { kind: 'created'; records: MetadataRecord[]; reply: CreatedTopic };

function createTopic(
  image: MetadataImage,
  topic: CreatableTopic,
  context: DecideContext,
): Created | ReturnType<typeof refuse> {
  const { name, configs } = topic;
  const nameProblem = topicNameProblem(name);
  if (nameProblem !== undefined) return refuse('INVALID_TOPIC_EXCEPTION', nameProblem);
  if (image.topics.find(name) !== undefined)
    return refuse('TOPIC_ALREADY_EXISTS', `topic "${name}" already exists`);
  const colliding = image.topics.findColliding(name);
  if (colliding !== undefined)
    return refuse(
      'INVALID_TOPIC_EXCEPTION',
      `topic "${name}" collides with "${colliding}": '.' and '_' count as the same`,
    );
  const configProblem = topicConfigsProblem(configs);
  if (configProblem !== undefined) return refuse('INVALID_CONFIG', configProblem);
  const assigned = assignReplicas(image.cluster, topic, context.config, context.random);
  if (assigned.kind === 'refused') return assigned;

  const topicId = newTopicId(image, context);
  const { replicas } = assigned;
  return {
    kind: 'created',
    records: [
      { kind: 'topic', name, topicId },
      ...configRecordsOf(topic),
      ...replicas.map((ids, partitionId) => newPartition(image, topicId, partitionId, ids)),
    ],
    reply: {
      name,
      topicId,
      partitions: replicas.length,
      replicationFactor: replicas[0]?.length ?? 0,
      error: 'NONE',
    },
  };
}

function newPartition(
  image: MetadataImage,
  topicId: Uuid,
  partitionId: PartitionId,
  replicas: readonly NodeId[],
): PartitionRecord {
  const isr = replicas.filter((id) => isActiveBroker(image.cluster, id));
  return {
    kind: 'partition',
    partitionId,
    topicId,
    replicas,
    isr,
    removingReplicas: [],
    addingReplicas: [],
    leader: isr[0] ?? NONE,
    leaderRecoveryState: 'recovered',
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories: replicas.map((id) => onlyDirectory(image, id)),
  };
}

/** A broker with one directory has no choice; one with several says later which it took (KIP-858). */
function onlyDirectory(image: MetadataImage, brokerId: NodeId): Uuid {
  const [directory = UNASSIGNED_DIRECTORY, ...others] = image.cluster.brokers.get(brokerId)?.logDirs ?? [];
  return others.length === 0 ? directory : UNASSIGNED_DIRECTORY;
}

function configRecordsOf({ name: resourceName, configs }: CreatableTopic): ConfigRecord[] {
  return Object.entries(configs).map(([name, value]) => ({
    kind: 'config',
    resourceType: 'topic',
    resourceName,
    name,
    value,
  }));
}

function newTopicId(image: MetadataImage, { random }: DecideContext): Uuid {
  for (;;) {
    const id = randomUuid(random);
    if (!image.topics.byId.has(id)) return id;
  }
}

function refusedTopic(
  { name }: CreatableTopic,
  error: { code: CreatedTopic['error']; message: string },
): CreatedTopic {
  return {
    name,
    topicId: ZERO_UUID,
    partitions: NONE,
    replicationFactor: NONE,
    error: error.code,
    errorMessage: error.message,
  };
}
