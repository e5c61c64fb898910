import { crc32c, NONE } from '../../base/index.ts';
import {
  ATTRIBUTE,
  BATCH_CRC_START,
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  type BatchHeader,
  batchBaseOffset,
  batchSizeBytes,
  FIELD,
} from './batch-header.ts';
import { type BatchProblem, corrupt, invalid } from './batch-problem.ts';
import { readInt32, readUint32 } from './bytes.ts';

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
    return {
      // What came before version 2 has the magic at the same place.
      code: magic < BATCH_MAGIC ? 'UNSUPPORTED_FOR_MESSAGE_FORMAT' : 'UNSUPPORTED_VERSION',
      message: `record batches have magic ${BATCH_MAGIC}; magic ${magic} is not supported`,
    };
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

/** Bits of a batch that a producer may set. What the others mean, if anything, is not for it to say. */
const PRODUCER_ATTRIBUTES = ATTRIBUTE.codecMask | ATTRIBUTE.logAppendTime | ATTRIBUTE.transactional;

/**
 * What a leader must refuse in the header of a batch that a producer sent, beyond {@link validateBatch}: it
 * has no place in the log yet, its offsets are dense, its codec is known, and markers and delete horizons are
 * the broker's to write. Source: Kafka's LogValidator.
 */
export function producerBatchProblem(header: BatchHeader): BatchProblem | undefined {
  if (header.baseOffset !== 0) return invalid(`a produced batch has base offset 0, not ${header.baseOffset}`);
  if (header.count < 1) return invalid('the batch has no records');
  if (header.count !== header.lastOffsetDelta + 1)
    return invalid(`the batch has ${header.count} records in ${header.lastOffsetDelta + 1} offsets`);
  return attributesProblem(header) ?? producerProblem(header);
}

function attributesProblem(header: BatchHeader): BatchProblem | undefined {
  if (header.isControl) return invalid('a producer may not write control batches');
  if (header.codec === undefined)
    return {
      code: 'UNSUPPORTED_COMPRESSION_TYPE',
      message: `no codec has number ${header.attributes & ATTRIBUTE.codecMask}`,
    };
  if (header.timestampType === 'LogAppendTime')
    return { code: 'INVALID_TIMESTAMP', message: 'a producer may not set the log append time' };
  // Read as a delete horizon, the base timestamp would let compaction drop tombstones too early.
  if (header.hasDeleteHorizon) return invalid('a producer may not set the delete horizon');
  const unknown = header.attributes & ~PRODUCER_ATTRIBUTES;
  if (unknown !== 0) return invalid(`the attributes have unknown bits 0x${(unknown & 0xffff).toString(16)}`);
  if (!Number.isSafeInteger(header.baseTimestamp))
    return {
      code: 'INVALID_TIMESTAMP',
      message: `the base timestamp ${header.baseTimestamp} is out of range`,
    };
  return undefined;
}

function producerProblem(header: BatchHeader): BatchProblem | undefined {
  const { producerId, producerEpoch, baseSequence } = header;
  if (header.isTransactional)
    return { code: 'INVALID_TXN_STATE', message: 'the batch belongs to a transaction that was not begun' };
  if (producerId === NONE) return undefined;
  if (producerId < 0 || !Number.isSafeInteger(producerId))
    return invalid(`${producerId} is not the id of a producer`);
  return baseSequence < 0 || producerEpoch < 0
    ? invalid(`producer ${producerId} sent no sequence or epoch`)
    : undefined;
}
