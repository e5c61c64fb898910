import { crc32c, type ErrorName } from '../../base/index.ts';
import {
  BATCH_CRC_START,
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  type BatchHeader,
  batchBaseOffset,
  batchSizeBytes,
  FIELD,
} from './batch-header.ts';
import { readInt32, readUint32 } from './bytes.ts';

/** Why a batch is refused: a code of the error table and a sentence with the numbers. */
export interface BatchProblem {
  readonly code: ErrorName;
  readonly message: string;
}

const corrupt = (message: string): BatchProblem => ({ code: 'CORRUPT_MESSAGE', message });
const invalid = (message: string): BatchProblem => ({ code: 'INVALID_RECORD', message });

/**
 * What is wrong with `bytes` as exactly one batch, from whomever it comes: size, magic, CRC, counts.
 * undefined: nothing. The records are not decoded.
 */
export function validateBatch(bytes: Uint8Array): BatchProblem | undefined {
  if (bytes.length < BATCH_HEADER_BYTES)
    return corrupt(`a batch has at least ${BATCH_HEADER_BYTES} bytes, this one ${bytes.length}`);
  const size = batchSizeBytes(bytes);
  if (size !== bytes.length) return corrupt(`the batch says ${size} bytes, but ${bytes.length} are there`);
  const magic = bytes[FIELD.magic] as number;
  if (magic !== BATCH_MAGIC)
    return { code: 'UNSUPPORTED_VERSION', message: `record batches of magic ${magic} are not supported` };
  const stored = readUint32(bytes, FIELD.crc);
  const computed = crc32c(bytes.subarray(BATCH_CRC_START));
  if (stored !== computed) return corrupt(`the batch carries CRC ${stored}, its bytes have ${computed}`);
  return countProblem(bytes);
}

function countProblem(bytes: Uint8Array): BatchProblem | undefined {
  const baseOffset = batchBaseOffset(bytes);
  const delta = readInt32(bytes, FIELD.lastOffsetDelta);
  const count = readInt32(bytes, FIELD.count);
  if (baseOffset < 0 || delta < 0 || !Number.isSafeInteger(baseOffset + delta))
    return invalid(`the batch spans offsets from ${baseOffset} by ${delta}`);
  // Compaction removes records and keeps the span; nothing can add some.
  if (count < 0 || count > delta + 1)
    return invalid(`the batch has ${count} records in ${delta + 1} offsets`);
  return undefined;
}

/**
 * What a leader must refuse in a batch that a producer sent, beyond {@link validateBatch}: it has no place
 * in the log yet, its records are dense, its codec is known, and markers are the coordinator's to write.
 * Source: Kafka's LogValidator.
 */
export function producerBatchProblem(header: BatchHeader): BatchProblem | undefined {
  if (header.baseOffset !== 0) return invalid(`a produced batch has base offset 0, not ${header.baseOffset}`);
  if (header.count < 1) return invalid('the batch has no records');
  if (header.count !== header.lastOffsetDelta + 1)
    return invalid(`the batch has ${header.count} records in ${header.lastOffsetDelta + 1} offsets`);
  if (header.isControl) return invalid('a producer may not write control batches');
  if (header.codec === undefined)
    return {
      code: 'UNSUPPORTED_COMPRESSION_TYPE',
      message: `no codec has number ${header.attributes & 0x07}`,
    };
  if (header.timestampType === 'LogAppendTime')
    return { code: 'INVALID_TIMESTAMP', message: 'a producer may not set the log append time' };
  if (header.producerId >= 0 && (header.baseSequence < 0 || header.producerEpoch < 0))
    return invalid(`producer ${header.producerId} sent no sequence or epoch`);
  return undefined;
}
