/** Blocks of producer ids. A block is gone once it is written, whether or not its broker lives to use it. Source: KIP-730. */
import { accept, refuse } from '../../machine/index.ts';
import type { AllocateProducerIdsReply, AllocateProducerIdsRequest } from '../../rpc/api/index.ts';
import type { MetadataImage } from '../image/image.ts';
import type { MetadataRecord } from '../records/records.ts';
import { findIncarnation, staleEpochMessage } from './broker-epoch.ts';
import type { MetadataDecision } from './context.ts';

export const PRODUCER_ID_BLOCK = 1000;

export function decideAllocateProducerIds(
  image: MetadataImage,
  { brokerId, brokerEpoch }: AllocateProducerIdsRequest,
): MetadataDecision<AllocateProducerIdsReply> {
  if (findIncarnation(image, brokerId, brokerEpoch) === undefined)
    return refuse('STALE_BROKER_EPOCH', staleEpochMessage(image, brokerId, brokerEpoch));
  const firstProducerId = image.producerIds.nextProducerId;
  const nextProducerId = firstProducerId + PRODUCER_ID_BLOCK;
  if (!Number.isSafeInteger(nextProducerId))
    return refuse('RESOURCE_EXHAUSTED', `producer ids are used up: ${firstProducerId} were given`);
  const record: MetadataRecord = { kind: 'producer-ids', brokerId, brokerEpoch, nextProducerId };
  return accept([record], { firstProducerId, count: PRODUCER_ID_BLOCK });
}
