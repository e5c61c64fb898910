import type { BrokerConfig } from '../config.ts';

/** What the replicas need of the broker's configuration. */
export type ReplicaConfig = Pick<
  BrokerConfig,
  | 'properties'
  | 'replicaLagTimeMaxMs'
  | 'replicaFetchWaitMaxMs'
  | 'replicaFetchMinBytes'
  | 'replicaFetchMaxBytes'
  | 'replicaFetchResponseMaxBytes'
  | 'replicaFetchBackoffMs'
  | 'highWatermarkCheckpointIntervalMs'
  | 'retentionCheckIntervalMs'
  | 'cleanerEnabled'
  | 'cleanerBackoffMs'
  | 'cleanerKeyMapBytes'
  | 'cleanerBytesPerSecond'
  | 'producerIdExpirationMs'
>;
