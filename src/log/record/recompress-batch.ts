import {
  ATTRIBUTE,
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  type BatchHeader,
  FIELD,
} from './batch-header.ts';
import { toBuffer, writeInt16, writeInt32 } from './bytes.ts';
import { compress } from './compression.ts';
import { type CompressionType, compressionCode } from './compression-type.ts';
import { DEFAULT_DECODE_LIMITS, inflateRecords } from './decode-records.ts';
import { stampCrc } from './stamp-batch.ts';

/**
 * The same records in another codec, in new memory; all else of the header stays. Throws like
 * decodeRecords.
 */
export function recompressBatch(batch: Uint8Array, header: BatchHeader, type: CompressionType): Uint8Array {
  const records = compress(type, inflateRecords(batch, header, DEFAULT_DECODE_LIMITS));
  const made = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES + records.length);
  toBuffer(batch).copy(made, 0, 0, BATCH_HEADER_BYTES);
  toBuffer(records).copy(made, BATCH_HEADER_BYTES);
  writeInt32(made, FIELD.batchLength, made.length - BATCH_OVERHEAD_BYTES);
  writeInt16(made, FIELD.attributes, (header.attributes & ~ATTRIBUTE.codecMask) | compressionCode(type));
  stampCrc(made);
  return made;
}
