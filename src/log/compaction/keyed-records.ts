import { ApiError } from '../../base/index.ts';
import { type BatchHeader, RecordCursor } from '../record/index.ts';

/**
 * Refuses a produced batch with a record that compaction could not tell from others. Throws ApiError INVALID_RECORD,
 * also where the bytes are not records, CORRUPT_MESSAGE where they cannot be inflated. Source: Kafka's LogValidator.
 */
export function assertKeyed(batch: Uint8Array, header: BatchHeader, topic: string): void {
  const record = RecordCursor.open(batch, header);
  for (let index = 0; record.next(); index++)
    if (record.keyStart < 0)
      throw new ApiError(
        'INVALID_RECORD',
        `topic ${topic} is compacted by key (cleanup.policy), and record ${index} of the batch has none: send it a key`,
      );
}
