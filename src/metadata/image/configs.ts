/** Dynamic configuration of topics, of single brokers, and (name '') of all brokers. A resource without keys is absent. */
import { Map as ImmutableMap } from 'immutable';
import type { NodeId } from '../../base/index.ts';
import type { ConfigResourceType } from '../../rpc/api/index.ts';
import type { ConfigRecord, MetadataRecord } from '../records/records.ts';
import { ReplayError } from './errors.ts';

type ConfigsByResource = ImmutableMap<string, ImmutableMap<string, string>>;

const NO_CONFIG: ReadonlyMap<string, string> = new Map();

export class ConfigsImage {
  /** By topic name. */
  readonly topics: ConfigsByResource;
  /** By broker id in decimal, or '' for the default of all. */
  readonly brokers: ConfigsByResource;

  constructor(topics: ConfigsByResource, brokers: ConfigsByResource) {
    this.topics = topics;
    this.brokers = brokers;
  }

  /** Keys set on the topic itself; may be empty. */
  topicConfig(name: string): ReadonlyMap<string, string> {
    return this.resourceConfig('topic', name);
  }

  /** Keys set on this broker, or with '' on all; may be empty. */
  brokerConfig(idOrAll: NodeId | ''): ReadonlyMap<string, string> {
    return this.resourceConfig('broker', String(idOrAll));
  }

  resourceConfig(type: ConfigResourceType, name: string): ReadonlyMap<string, string> {
    const config = (type === 'topic' ? this.topics : this.brokers).get(name);
    return config === undefined ? NO_CONFIG : new Map(config);
  }

  replayConfig(record: ConfigRecord): ConfigsImage {
    return record.resourceType === 'topic'
      ? new ConfigsImage(withConfig(this.topics, record), this.brokers)
      : new ConfigsImage(this.topics, withConfig(this.brokers, record));
  }

  /** A removed topic takes its configuration with it. */
  withoutTopic(name: string): ConfigsImage {
    return this.topics.has(name) ? new ConfigsImage(this.topics.delete(name), this.brokers) : this;
  }
}

/** Nothing. */
export const EMPTY_CONFIGS = new ConfigsImage(ImmutableMap(), ImmutableMap());

/** By type, name and key. */
export function configRecords(configs: ConfigsImage): MetadataRecord[] {
  return [...recordsOf('topic', configs.topics), ...recordsOf('broker', configs.brokers)];
}

function withConfig(resources: ConfigsByResource, record: ConfigRecord): ConfigsByResource {
  const { resourceName, name, value } = record;
  const old = resources.get(resourceName) ?? ImmutableMap<string, string>();
  if (name === '')
    throw new ReplayError(`a configuration of ${record.resourceType} "${resourceName}" has no key`);
  const next = value === undefined ? old.delete(name) : old.set(name, value);
  return next.isEmpty() ? resources.delete(resourceName) : resources.set(resourceName, next);
}

function recordsOf(resourceType: ConfigResourceType, resources: ConfigsByResource): MetadataRecord[] {
  return [...resources].sort(byKey).flatMap(([resourceName, config]) =>
    [...config].sort(byKey).map(
      ([name, value]): ConfigRecord => ({
        kind: 'config',
        resourceType,
        resourceName,
        name,
        value,
      }),
    ),
  );
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
