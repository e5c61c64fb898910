/** The logs of a broker: record batches in segments, per partition. Bytes are those of log/record. */
export type { LogAppend } from './append/log-appender.ts';
export type { DataDirectory } from './directory/data-directory.ts';
export type { EpochEnd } from './epoch/epoch-cache.ts';
export * from './inspect/index.ts';
export { DEFAULT_LOG_CONFIG, type LogConfig, toLogConfig } from './log-config.ts';
export { type LogManager, type LogManagerOptions, openLogManager } from './log-manager.ts';
export type { PartitionLog } from './partition-log.ts';
export type { LogRead, ReadOptions } from './read/read-log.ts';
export type { TimestampOffset } from './read/search-timestamp.ts';
export * from './scrub/index.ts';
export { storageRefusal } from './storage-refusal.ts';
