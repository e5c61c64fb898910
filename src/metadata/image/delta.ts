/**
 * What differs between two images, as far as somebody acts on it.
 *
 * Records only say what to look at; whether a topic is new, changed or gone is read from the images before and after.
 * So create + delete in one delta is nothing, and delete + create of one name is the old id gone and the new id there
 * (KAFKA-19497, KAFKA-13198), without a rule for either.
 */
import type { NodeId, Uuid } from '../../base/index.ts';
import type { MetadataRecord } from '../records/records.ts';
import { EMPTY_IMAGE, imageToRecords, type MetadataImage } from './image.ts';
import type { TopicImage } from './topics.ts';

export interface ImageDelta {
  readonly previous: MetadataImage;
  /** New topics and those with a new or changed partition, as they are now, by id. */
  readonly changedTopics: ReadonlyMap<Uuid, TopicImage>;
  /** Topics that are gone, as they were, by id. Handle these before `changedTopics`: a name may be in both. */
  readonly deletedTopics: ReadonlyMap<Uuid, TopicImage>;
  readonly brokersChanged: boolean;
  /** Registered, changed or unregistered. */
  readonly changedBrokers: ReadonlySet<NodeId>;
  readonly configsChanged: {
    /** Names of topics whose own keys changed; a deleted topic is not named. */
    readonly topics: ReadonlySet<string>;
    /** Broker ids in decimal; '' for the default of all brokers. */
    readonly brokers: ReadonlySet<string>;
  };
  readonly featuresChanged: boolean;
  readonly producerIdsChanged: boolean;
}

/** The delta that leads from `previous` to `image`, which came of replaying `records` on it. */
export function deltaOf(
  previous: MetadataImage,
  image: MetadataImage,
  records: Iterable<MetadataRecord>,
): ImageDelta {
  const { topicIds, brokerIds, topicConfigs, brokerConfigs } = touched(records);
  const changedTopics = new Map<Uuid, TopicImage>();
  const deletedTopics = new Map<Uuid, TopicImage>();
  for (const id of topicIds) {
    const [before, after] = [previous.topics.findById(id), image.topics.findById(id)];
    if (after !== undefined && after !== before) changedTopics.set(id, after);
    if (after === undefined && before !== undefined) deletedTopics.set(id, before);
  }
  const changedBrokers = new Set<NodeId>();
  for (const id of brokerIds) {
    if (previous.cluster.brokers.get(id) !== image.cluster.brokers.get(id)) changedBrokers.add(id);
  }
  for (const name of topicConfigs) if (!image.topics.byName.has(name)) topicConfigs.delete(name);
  return {
    previous,
    changedTopics,
    deletedTopics,
    brokersChanged: changedBrokers.size > 0,
    changedBrokers,
    configsChanged: { topics: topicConfigs, brokers: brokerConfigs },
    featuresChanged: previous.features !== image.features,
    producerIdsChanged: previous.producerIds !== image.producerIds,
  };
}

/** The whole image as a delta from the empty one: what a publisher that comes late gets. */
export function deltaFromEmpty(image: MetadataImage): ImageDelta {
  return deltaOf(EMPTY_IMAGE, image, imageToRecords(image));
}

interface Touched {
  readonly topicIds: Set<Uuid>;
  readonly brokerIds: Set<NodeId>;
  readonly topicConfigs: Set<string>;
  readonly brokerConfigs: Set<string>;
}

function touched(records: Iterable<MetadataRecord>): Touched {
  const result: Touched = {
    topicIds: new Set(),
    brokerIds: new Set(),
    topicConfigs: new Set(),
    brokerConfigs: new Set(),
  };
  for (const record of records) {
    switch (record.kind) {
      case 'topic':
      case 'partition':
      case 'partition-change':
      case 'remove-topic':
        result.topicIds.add(record.topicId);
        break;
      case 'register-broker':
      case 'unregister-broker':
      case 'broker-registration-change':
        result.brokerIds.add(record.brokerId);
        break;
      case 'config':
        (record.resourceType === 'topic' ? result.topicConfigs : result.brokerConfigs).add(
          record.resourceName,
        );
        break;
      default:
        break;
    }
  }
  return result;
}
