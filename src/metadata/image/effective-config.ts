/**
 * The value of every topic key for one topic, and where it comes from.
 *
 * Precedence, highest first: the topic, the broker (when one is asked for), the default of all brokers, the node's
 * configuration file, the built-in default. Below the topic a key goes by its server synonym (KIP-226).
 */
import { type NodeId, SERVER_CONFIG_KEYS, TOPIC_CONFIG_KEYS } from '../../base/index.ts';
import type { ConfigSource } from '../../rpc/api/index.ts';
import type { MetadataImage } from './image.ts';

export interface EffectiveValue {
  readonly value: string;
  readonly source: ConfigSource;
}

/** Server keys as written in a configuration file; keys left to their default are absent. */
export type StaticConfig = Readonly<Record<string, string | undefined>>;

/** Server key by the topic key that overrides it. */
export const SERVER_SYNONYMS: ReadonlyMap<string, string> = new Map(
  Object.entries(SERVER_CONFIG_KEYS).flatMap(([name, { topic }]) =>
    topic === undefined ? [] : [[topic, name] as const],
  ),
);

/** All topic keys; also for a topic that does not exist, as it would be. */
export function effectiveTopicConfig(
  image: MetadataImage,
  topicName: string,
  staticConfig: StaticConfig,
  brokerId?: NodeId,
): Readonly<Record<string, EffectiveValue>> {
  return Object.fromEntries(
    Object.keys(TOPIC_CONFIG_KEYS).map((key) => [
      key,
      effectiveTopicValue(image, topicName, key, staticConfig, brokerId),
    ]),
  );
}

/** One key of {@link effectiveTopicConfig}; '' for a key that is not in the table. */
export function effectiveTopicValue(
  image: MetadataImage,
  topicName: string,
  key: string,
  staticConfig: StaticConfig,
  brokerId?: NodeId,
): EffectiveValue {
  const { topics, brokers } = image.configs;
  const synonym = SERVER_SYNONYMS.get(key) ?? key;
  const layers: [ConfigSource, string | undefined][] = [
    ['topic', topics.get(topicName)?.get(key)],
    ['broker', brokerId === undefined ? undefined : brokers.get(String(brokerId))?.get(synonym)],
    ['cluster', brokers.get('')?.get(synonym)],
    ['static', staticConfig[synonym]],
  ];
  for (const [source, value] of layers) if (value !== undefined) return { value, source };
  return { value: TOPIC_CONFIG_KEYS[key]?.default ?? '', source: 'default' };
}
