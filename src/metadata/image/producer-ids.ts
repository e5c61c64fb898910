/** Where the next block of producer ids starts. A block is never given twice, used or not. Source: KIP-730. */
import type { ProducerId } from '../../base/index.ts';
import type { MetadataRecord, ProducerIdsRecord } from '../records/records.ts';
import { ReplayError } from './errors.ts';

export interface ProducerIdsImage {
  readonly nextProducerId: ProducerId;
  /** The last block's record; absent before the first block. */
  readonly last?: ProducerIdsRecord;
}

export const EMPTY_PRODUCER_IDS: ProducerIdsImage = { nextProducerId: 0 };

export function replayProducerIds(image: ProducerIdsImage, record: ProducerIdsRecord): ProducerIdsImage {
  if (record.nextProducerId <= image.nextProducerId)
    throw new ReplayError(`producer ids go from ${image.nextProducerId} back to ${record.nextProducerId}`);
  return { nextProducerId: record.nextProducerId, last: record };
}

export function producerIdRecords(image: ProducerIdsImage): MetadataRecord[] {
  return image.last === undefined ? [] : [image.last];
}
