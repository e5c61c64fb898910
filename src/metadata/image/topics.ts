/**
 * Topics and their partitions. Maps at topic level share structure between images; the partitions of a topic are an array
 * by index, copied when one of them changes.
 *
 * Law: byName and byId hold the same topics; partition ids have no gaps. `byCollisionKey` holds the names with a '.' or
 * '_', of which no two may be equal after replacing one by the other.
 */
import { Map as ImmutableMap } from 'immutable';
import { topicCollisionKey, type Uuid } from '../../base/index.ts';
import type {
  MetadataRecord,
  PartitionChangeRecord,
  PartitionRecord,
  RemoveTopicRecord,
  TopicRecord,
} from '../records/records.ts';
import { ReplayError } from './errors.ts';
import { mergePartition, type PartitionRegistration, partitionRecord, toPartition } from './partition.ts';

export interface TopicImage {
  readonly name: string;
  readonly id: Uuid;
  /** By partition id. */
  readonly partitions: readonly PartitionRegistration[];
}

export class TopicsImage {
  readonly byName: ImmutableMap<string, TopicImage>;
  /** Names by topic id. */
  readonly byId: ImmutableMap<Uuid, string>;
  readonly byCollisionKey: ImmutableMap<string, string>;

  constructor(
    byName: ImmutableMap<string, TopicImage>,
    byId: ImmutableMap<Uuid, string>,
    byCollisionKey: ImmutableMap<string, string>,
  ) {
    this.byName = byName;
    this.byId = byId;
    this.byCollisionKey = byCollisionKey;
  }

  find(name: string): TopicImage | undefined {
    return this.byName.get(name);
  }

  findById(id: Uuid): TopicImage | undefined {
    const name = this.byId.get(id);
    return name === undefined ? undefined : this.byName.get(name);
  }

  /** The existing topic whose name differs from `name` at most by '.' and '_'. */
  findColliding(name: string): string | undefined {
    return this.byCollisionKey.get(topicCollisionKey(name));
  }

  replayTopic(record: TopicRecord): TopicsImage {
    if (this.byName.has(record.name)) throw new ReplayError(`topic ${record.name} exists already`);
    if (this.byId.has(record.topicId)) throw new ReplayError(`topic id ${record.topicId} exists already`);
    const topic: TopicImage = { name: record.name, id: record.topicId, partitions: [] };
    return new TopicsImage(
      this.byName.set(topic.name, topic),
      this.byId.set(topic.id, topic.name),
      canCollide(topic.name)
        ? this.byCollisionKey.set(topicCollisionKey(topic.name), topic.name)
        : this.byCollisionKey,
    );
  }

  replayPartition(record: PartitionRecord): TopicsImage {
    const topic = this.#get(record);
    if (record.partitionId !== topic.partitions.length)
      throw new ReplayError(
        `partition ${record.partitionId} of topic ${topic.name}, which has ${topic.partitions.length}`,
      );
    return this.#withPartitions(topic, [...topic.partitions, toPartition(record)]);
  }

  replayPartitionChange(record: PartitionChangeRecord): TopicsImage {
    const topic = this.#get(record);
    const old = topic.partitions[record.partitionId];
    if (old === undefined)
      throw new ReplayError(
        `change of partition ${record.partitionId} of topic ${topic.name}, which has ${topic.partitions.length}`,
      );
    return this.#withPartitions(
      topic,
      topic.partitions.with(record.partitionId, mergePartition(old, record)),
    );
  }

  replayRemoveTopic(record: RemoveTopicRecord): TopicsImage {
    const topic = this.#get(record);
    return new TopicsImage(
      this.byName.delete(topic.name),
      this.byId.delete(topic.id),
      canCollide(topic.name)
        ? this.byCollisionKey.delete(topicCollisionKey(topic.name))
        : this.byCollisionKey,
    );
  }

  #withPartitions(topic: TopicImage, partitions: readonly PartitionRegistration[]): TopicsImage {
    const byName = this.byName.set(topic.name, { ...topic, partitions });
    return new TopicsImage(byName, this.byId, this.byCollisionKey);
  }

  #get(record: PartitionRecord | PartitionChangeRecord | RemoveTopicRecord): TopicImage {
    const topic = this.findById(record.topicId);
    if (topic === undefined) throw new ReplayError(`${record.kind} of topic id ${record.topicId}, not known`);
    return topic;
  }
}

/** Nothing. */
export const EMPTY_TOPICS = new TopicsImage(ImmutableMap(), ImmutableMap(), ImmutableMap());

/** By name; a topic, then its partitions. */
export function topicRecords(topics: TopicsImage): MetadataRecord[] {
  return [...topics.byName.keys()].sort().flatMap((name): MetadataRecord[] => {
    const topic = topics.find(name);
    if (topic === undefined) return [];
    return [
      { kind: 'topic', name, topicId: topic.id },
      ...topic.partitions.map((partition, index) => partitionRecord(topic.id, index, partition)),
    ];
  });
}

function canCollide(name: string): boolean {
  return name.includes('.') || name.includes('_');
}
