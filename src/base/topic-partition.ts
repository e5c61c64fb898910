import type { PartitionId } from './brands.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: PartitionId;
}

/** `<topic>-<partition>`: the key of maps and the name of the log's directory. */
export function topicPartitionKey(topic: string, partition: PartitionId): string {
  return `${topic}-${partition}`;
}

export const TOPIC_NAME_LENGTH_MAX = 249;
const TOPIC_NAME = /^[a-zA-Z0-9._-]+$/;

/** Why `name` cannot be a topic's name, or undefined when it can. Source: Kafka's Topic.validate. */
export function topicNameProblem(name: string): string | undefined {
  if (name === '') return 'the topic name is empty';
  if (name === '.' || name === '..') return `the topic name cannot be "${name}"`;
  if (name.length > TOPIC_NAME_LENGTH_MAX)
    return `the topic name has ${name.length} characters; at most ${TOPIC_NAME_LENGTH_MAX} are allowed`;
  if (!TOPIC_NAME.test(name))
    return `the topic name ${JSON.stringify(name)} has a character outside [a-zA-Z0-9._-]`;
  return undefined;
}

/** Names that differ only by '.' and '_' collide (they would share a metric's name in Kafka). */
export function topicCollisionKey(name: string): string {
  return name.replaceAll('.', '_');
}
