/**
 * The client: producer, consumer, admin. It knows no transport; one is handed in (see src/index.ts for the
 * usual composition).
 */
export { Admin, type AdminOptions, type CreateTopicsOptions, type TopicSpec } from './admin/admin.ts';
export type { RecordsDeleted, RecordsToDelete } from './admin/delete-records.ts';
export type { OffsetTime, PartitionOffset } from './admin/list-topic-offsets.ts';
export type { LogVerdict, ReplicaAnswer, ReplicaProblem } from './admin/verify-log.ts';
export { Client, type ClientOptions, type ClientSettings, createClient } from './client.ts';
export type { ClientEnvironment } from './client-environment.ts';
export { type Bootstrap, parseBootstrap } from './cluster/bootstrap.ts';
export type { ConsumedBatch, ConsumedHeader, ConsumedRecord } from './consumer/consumed-record.ts';
export { Consumer, type PositionedPartition } from './consumer/consumer.ts';
export type { ConsumerOptions, OffsetReset, StartPosition } from './consumer/options.ts';
export type { ProducerOptions } from './producer/options.ts';
export { type Partitioner, partitionForKey } from './producer/partitioner.ts';
export { Producer, type SendOptions } from './producer/producer.ts';
export type { Acknowledgement, Content, HeadersInput, RecordInput } from './types.ts';
