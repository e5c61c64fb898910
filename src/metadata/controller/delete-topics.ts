/**
 * Topics go, with their partitions and configuration, by one record each. A name made anew later gets a new id, so nothing
 * of the old topic can come back. Each topic of a request passes or fails alone.
 */
import { ZERO_UUID } from '../../base/index.ts';
import { acceptEach, refuse } from '../../machine/index.ts';
import type { DeletedTopic, DeleteTopicsReply, DeleteTopicsRequest } from '../../rpc/api/index.ts';
import type { MetadataImage } from '../image/image.ts';
import type { TopicImage } from '../image/topics.ts';
import type { RemoveTopicRecord } from '../records/records.ts';
import { RECORDS_MAX } from './config.ts';
import type { DecideContext, MetadataDecision } from './context.ts';

type TopicReference = DeleteTopicsRequest['topics'][number];
type Refusal = ReturnType<typeof refuse>;

export function decideDeleteTopics(
  image: MetadataImage,
  request: DeleteTopicsRequest,
  { config }: DecideContext,
): MetadataDecision<DeleteTopicsReply> {
  if (!config.deleteTopicEnable) return refuse('TOPIC_DELETION_DISABLED', 'delete.topic.enable is false');
  if (request.topics.length > RECORDS_MAX)
    return refuse('POLICY_VIOLATION', `${request.topics.length} topics at once; at most ${RECORDS_MAX}`);
  const records = new Map<string, RemoveTopicRecord>();
  const topics = request.topics.map((reference): DeletedTopic => {
    const found = findTopic(image, reference);
    const isTwice = found.kind === 'found' && records.has(found.topic.id);
    const outcome = isTwice ? refuse('INVALID_REQUEST', 'the topic is in the request more than once') : found;
    if (outcome.kind === 'refused') {
      const { code: error, message: errorMessage } = outcome.error;
      return { name: reference.name ?? '', topicId: reference.topicId ?? ZERO_UUID, error, errorMessage };
    }
    const { id: topicId, name } = outcome.topic;
    records.set(topicId, { kind: 'remove-topic', topicId });
    return { name, topicId, error: 'NONE' };
  });
  return acceptEach([...records.values()], { topics });
}

function findTopic(
  image: MetadataImage,
  { name, topicId }: TopicReference,
): { kind: 'found'; topic: TopicImage } | Refusal {
  if ((name === undefined) === (topicId === undefined))
    return refuse('INVALID_REQUEST', 'name a topic either by its name or by its id');
  const topic = topicId === undefined ? image.topics.find(name ?? '') : image.topics.findById(topicId);
  if (topic !== undefined) return { kind: 'found', topic };
  return topicId === undefined
    ? refuse('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic "${name}"`)
    : refuse('UNKNOWN_TOPIC_ID', `there is no topic with id ${topicId}`);
}
