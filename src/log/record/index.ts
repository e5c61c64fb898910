/**
 * Record batches, version 2: the one format from producer to disk to follower to consumer. Pure;
 * compression is synchronous.
 */
export {
  BatchBuilder,
  type BatchBuilderOptions,
  type NewRecord,
  type RecordHeader,
} from './batch-builder.ts';
export {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BATCH_OVERHEAD_BYTES,
  type BatchHeader,
  batchBaseOffset,
  batchLastOffset,
  batchLeaderEpoch,
  batchMagic,
  batchMaxTimestamp,
  batchSizeBytes,
  readBatchHeader,
  type TimestampType,
} from './batch-header.ts';
export type { BatchProblem } from './batch-problem.ts';
export { type BatchView, batches, wholeBatchSize } from './batches.ts';
export {
  readInt16,
  readInt32,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from './bytes.ts';
export { COMPRESSION_TYPES, type CompressionType } from './compression-type.ts';
export { buildTransactionMarker, type ControlType, controlTypeOf, toControlType } from './control-batch.ts';
export { type DecodedRecord, decodeRecords, toDecodedRecord } from './decode-records.ts';
export { type BatchFilter, type FilteredBatch, filterBatch } from './filter-batch.ts';
export { type DecodeLimits, inflatedBytesMaxOf, inflateRecords } from './inflate-records.ts';
export { murmur2, partitionForKey } from './murmur2.ts';
export { findMaxTimestamp } from './plain-records.ts';
export { RECORD_HEADERS_MAX, RecordCursor } from './record-cursor.ts';
export { reencodeBatch } from './reencode-batch.ts';
export { stampBatch, stampLogAppendTime, stampMaxTimestamp } from './stamp-batch.ts';
export { producerBatchProblem, validateBatch } from './validate-batch.ts';
export { type RecordRules, type RecordsSummary, walkRecords } from './walk-records.ts';
