import type { NodeId } from '../../base/index.ts';
import { type LogConfig, toLogConfig } from '../../log/index.ts';
import { effectiveTopicConfig, type MetadataImage } from '../../metadata/index.ts';
import type { ReplicationPolicy } from './core/partition-state.ts';
import type { ReplicaConfig } from './replica-config.ts';

/** What the configuration of a topic means for its replicas here. */
export interface ReplicaSettings {
  readonly log: LogConfig;
  readonly policy: ReplicationPolicy;
}

export function replicaSettings(
  image: MetadataImage,
  topic: string,
  config: ReplicaConfig,
  nodeId: NodeId,
): ReplicaSettings {
  const effective = effectiveTopicConfig(image, topic, config.properties, nodeId);
  const values = Object.fromEntries(Object.entries(effective).map(([key, { value }]) => [key, value]));
  const log = toLogConfig(values, config.producerIdExpirationMs);
  const minIsr = Number(values['min.insync.replicas']);
  return { log, policy: { minIsr, writeCaching: log.writeCaching, lagMaxMs: config.replicaLagTimeMaxMs } };
}
