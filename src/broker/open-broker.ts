import { type LogConfig, openLogManager, toLogConfig } from '../log/index.ts';
import { SERVER_SYNONYMS } from '../metadata/index.ts';
import type { Broker, BrokerOptions } from './broker.ts';
import type { BrokerConfig } from './config.ts';
import { RunningBroker } from './running-broker.ts';

/** Opens the logs, recovering what an unclean end left, and starts to register. Serve its services before awaiting `ready`. */
export async function openBroker(options: BrokerOptions): Promise<Broker> {
  const { environment, config, logs } = options;
  const manager = await openLogManager({
    directories: logs.directories,
    environment,
    defaults: defaultLogConfig(config),
    tailCacheBytes: config.tailCacheBytes,
    openSegmentsMax: config.openSegmentsMax,
  });
  return new RunningBroker(options, manager);
}

/** Of logs whose topic is not known yet: what the configuration file says of all topics. */
function defaultLogConfig({ properties, producerIdExpirationMs }: BrokerConfig): LogConfig {
  const synonyms = [...SERVER_SYNONYMS].map(([topicKey, serverKey]) => [topicKey, properties[serverKey]]);
  return toLogConfig(Object.fromEntries(synonyms), producerIdExpirationMs);
}
