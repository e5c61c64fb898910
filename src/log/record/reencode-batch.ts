import { toBuffer } from '../../base/index.ts';
import {
  ATTRIBUTE,
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  type BatchHeader,
  FIELD,
} from './batch-header.ts';
import { writeInt16, writeInt32 } from './bytes.ts';
import { compress } from './compression.ts';
import { type CompressionType, compressionCode } from './compression-type.ts';
import { stampCrc } from './stamp-batch.ts';

/**
 * The batch in another codec, in new memory. `clear`: its records inflated. Length, codec and CRC change; all
 * else of the header stays as `batch` has it, producer and sequence with it.
 */
export function reencodeBatch(
  header: BatchHeader,
  batch: Uint8Array,
  clear: Uint8Array,
  type: CompressionType,
): Uint8Array {
  const records = compress(type, clear);
  const made = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES + records.length);
  toBuffer(batch).copy(made, 0, 0, BATCH_HEADER_BYTES);
  toBuffer(records).copy(made, BATCH_HEADER_BYTES);
  writeInt32(made, FIELD.batchLength, made.length - BATCH_OVERHEAD_BYTES);
  writeInt16(made, FIELD.attributes, (header.attributes & ~ATTRIBUTE.codecMask) | compressionCode(type));
  stampCrc(made);
  return made;
}
