/**
 * Configuration as it is in force, key by key, with the layer each value comes from.
 */
import { type NodeId, SERVER_CONFIG_KEYS, topicNameProblem } from '../../base/index.ts';
import { effectiveTopicConfig, type MetadataImage } from '../../metadata/index.ts';
import type { ConfigEntry, ConfigResource, DescribedConfigs } from '../../rpc/api/index.ts';
import { OK, refusal } from '../flow/outcome.ts';

export type StaticProperties = Readonly<Record<string, string>>;

export function describeTopicConfigs(
  image: MetadataImage,
  name: string,
  properties: StaticProperties,
): DescribedConfigs {
  const resource: ConfigResource = { type: 'topic', name };
  if (image.topics.find(name) === undefined) {
    const problem = topicNameProblem(name);
    const outcome =
      problem === undefined
        ? refusal('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic "${name}"`)
        : refusal('INVALID_TOPIC_EXCEPTION', problem);
    return { ...outcome, ...resource, entries: [] };
  }
  const effective = effectiveTopicConfig(image, name, properties);
  const entries = Object.entries(effective).map(([key, { value, source }]) => ({ name: key, value, source }));
  return { ...OK, ...resource, entries };
}

/** Of the broker that answers, or with '' what is set for all brokers. */
export function describeBrokerConfigs(
  image: MetadataImage,
  nodeId: NodeId | '',
  properties: StaticProperties,
): DescribedConfigs {
  const all = image.configs.brokerConfig('');
  const resource: ConfigResource = { type: 'broker', name: String(nodeId) };
  if (nodeId === '') {
    const entries = [...all].map(([name, value]): ConfigEntry => ({ name, value, source: 'cluster' }));
    return { ...OK, ...resource, entries };
  }
  const own = image.configs.brokerConfig(nodeId);
  const entries: ConfigEntry[] = [];
  for (const [name, key] of Object.entries(SERVER_CONFIG_KEYS)) {
    const layers: [ConfigEntry['source'], string | undefined][] = [
      ['broker', own.get(name)],
      ['cluster', all.get(name)],
      ['static', properties[name]],
      ['default', key.default],
    ];
    const found = layers.find(([, value]) => value !== undefined);
    if (found?.[1] !== undefined) entries.push({ name, value: found[1], source: found[0] });
  }
  return { ...OK, ...resource, entries };
}
