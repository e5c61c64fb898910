/**
 * The cluster's metadata at one offset: what all records below it mean together.
 *
 * Immutable; an image made by replay shares all that did not change. The only interpreter of records: the controller
 * decides on the same image the brokers follow. Laws: any batching of the same records gives an equal image;
 * replaying imageToRecords(image) on EMPTY_IMAGE gives an equal image. Equal means equal digest.
 */
import { assertNever, type Offset, type QuorumEpoch } from '../../base/index.ts';
import type { MetadataRecord } from '../records/records.ts';
import {
  type ClusterImage,
  clusterRecords,
  EMPTY_CLUSTER,
  replayBrokerChange,
  replayRegisterBroker,
  replayUnregisterBroker,
} from './cluster.ts';
import { type ConfigsImage, configRecords, EMPTY_CONFIGS } from './configs.ts';
import { EMPTY_FEATURES, type FeaturesImage, featureRecords, replayFeatureLevel } from './features.ts';
import {
  EMPTY_PRODUCER_IDS,
  type ProducerIdsImage,
  producerIdRecords,
  replayProducerIds,
} from './producer-ids.ts';
import { EMPTY_TOPICS, type TopicsImage, topicRecords } from './topics.ts';

export interface MetadataImage {
  /** Everything below is applied. */
  readonly offset: Offset;
  /** Quorum epoch of the last applied entry; 0 before the first. */
  readonly epoch: QuorumEpoch;
  readonly features: FeaturesImage;
  readonly cluster: ClusterImage;
  readonly topics: TopicsImage;
  readonly configs: ConfigsImage;
  readonly producerIds: ProducerIdsImage;
}

export const EMPTY_IMAGE: MetadataImage = {
  offset: 0,
  epoch: 0,
  features: EMPTY_FEATURES,
  cluster: EMPTY_CLUSTER,
  topics: EMPTY_TOPICS,
  configs: EMPTY_CONFIGS,
  producerIds: EMPTY_PRODUCER_IDS,
};

/** The image with `record` applied, at the same offset. Throws ReplayError when the record cannot follow this image. */
export function replay(image: MetadataImage, record: MetadataRecord): MetadataImage {
  switch (record.kind) {
    case 'register-broker':
      return { ...image, cluster: replayRegisterBroker(image.cluster, record) };
    case 'unregister-broker':
      return { ...image, cluster: replayUnregisterBroker(image.cluster, record) };
    case 'broker-registration-change':
      return { ...image, cluster: replayBrokerChange(image.cluster, record) };
    case 'topic':
      return { ...image, topics: image.topics.replayTopic(record) };
    case 'partition':
      return { ...image, topics: image.topics.replayPartition(record) };
    case 'partition-change':
      return { ...image, topics: image.topics.replayPartitionChange(record) };
    case 'remove-topic': {
      const configs = image.configs.withoutTopic(image.topics.byId.get(record.topicId) ?? '');
      return { ...image, topics: image.topics.replayRemoveTopic(record), configs };
    }
    case 'config':
      return { ...image, configs: image.configs.replayConfig(record) };
    case 'feature-level':
      return { ...image, features: replayFeatureLevel(image.features, record) };
    case 'producer-ids':
      return { ...image, producerIds: replayProducerIds(image.producerIds, record) };
    case 'no-op':
      return image;
    default:
      return assertNever(record);
  }
}

/** The image after the whole log entry at `offset` of `epoch` was applied to it. */
export function advance(image: MetadataImage, offset: Offset, epoch: QuorumEpoch): MetadataImage {
  return { ...image, offset: offset + 1, epoch };
}

/** Records that make this image from the empty one, in an order that depends on the content only. */
export function imageToRecords(image: MetadataImage): MetadataRecord[] {
  return [
    ...featureRecords(image.features),
    ...clusterRecords(image.cluster),
    ...topicRecords(image.topics),
    ...configRecords(image.configs),
    ...producerIdRecords(image.producerIds),
  ];
}
