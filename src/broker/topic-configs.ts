import type { NodeId } from '../base/index.ts';
import { type LogConfig, type LogManager, toLogConfig } from '../log/index.ts';
import { effectiveTopicConfig, type ImageDelta, type MetadataImage } from '../metadata/index.ts';

export interface TopicConfigsOptions {
  readonly nodeId: NodeId;
  readonly logs: Pick<LogManager, 'all'>;
  /** Keys set in the configuration file. */
  readonly properties: Readonly<Record<string, string>>;
  readonly producerIdExpirationMs: number;
}

/** The publisher that gives each log the configuration now in force for its topic. */
export class TopicConfigs {
  readonly name = 'topic-configs';
  readonly #options: TopicConfigsOptions;

  constructor(options: TopicConfigsOptions) {
    this.#options = options;
  }

  logConfig(image: MetadataImage, topic: string): LogConfig {
    const { nodeId, properties, producerIdExpirationMs } = this.#options;
    const effective = effectiveTopicConfig(image, topic, properties, nodeId);
    const values = Object.fromEntries(Object.entries(effective).map(([key, { value }]) => [key, value]));
    return toLogConfig(values, producerIdExpirationMs);
  }

  publish(delta: ImageDelta, image: MetadataImage): void {
    const { topics, brokers } = delta.configsChanged;
    const all = brokers.has('') || brokers.has(String(this.#options.nodeId));
    if (!all && topics.size === 0) return;
    const configs = new Map<string, LogConfig>();
    for (const log of this.#options.logs.all()) {
      if (!all && !topics.has(log.topic)) continue;
      const config = configs.get(log.topic) ?? this.logConfig(image, log.topic);
      configs.set(log.topic, config);
      log.config = config;
    }
  }
}
