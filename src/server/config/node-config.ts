/**
 * The meaning of the configuration of one node. Refuses to start with the key, the value, what is allowed and, for a
 * mistyped key, the nearest known one.
 */
import {
  type ConfigKey,
  configValueProblem,
  isUuid,
  type NodeId,
  nearestKey,
  SERVER_CONFIG_KEYS,
  StartupError,
  splitList,
  type Uuid,
} from '../../base/index.ts';
import { type Listeners, parseListeners, parseVoters, type VoterAddress } from './addresses.ts';
import type { ConfigValues } from './sources.ts';

export interface NodeConfig {
  readonly nodeId: NodeId;
  readonly isBroker: boolean;
  readonly isController: boolean;
  /** Absent: learnt from the quorum or made by it. */
  readonly clusterId?: Uuid;
  readonly voters: readonly VoterAddress[];
  readonly listeners: Listeners;
  readonly advertised: Listeners;
  /** Where the metadata log is, and what says who the node is; one of {@link logDirectories}, or a directory of its own. */
  readonly homeDirectory: string;
  /** All directories of logs; not empty, each named once. */
  readonly logDirectories: readonly string[];
  readonly rack?: string;
  /** An integer key's value. */
  integer(key: string): number;
  boolean(key: string): boolean;
  text(key: string): string;
  /** The keys that were set, without defaults: the static layer of topic configuration. */
  readonly explicit: Readonly<Record<string, string>>;
}

export function nodeConfigFrom(values: ConfigValues): NodeConfig {
  checkKeys(values);
  const effective = new Map<string, string>();
  for (const [key, definition] of Object.entries(SERVER_CONFIG_KEYS)) {
    const value = values.get(key)?.value ?? definition.default;
    if (value !== undefined) effective.set(key, value);
    else if (definition.required)
      throw new StartupError(`the key ${key} is missing: ${definition.text}${exampleOf(key)}`);
  }
  const text = (key: string): string => effective.get(key) ?? '';
  const roles = splitList(text('process.roles'));
  const listeners = parseListeners('listeners', text('listeners'));
  const logDirectories = parseDirectories(text('log.dirs'));
  const [logDirectory] = logDirectories;
  if (logDirectory === undefined) throw new StartupError('the key log.dirs is empty: name a data directory');
  const metadataDirectory = effective.get('metadata.log.dir');
  const clusterId = effective.get('cluster.id');
  if (clusterId !== undefined && !isUuid(clusterId))
    throw new StartupError(`cluster.id must be 22 characters of base64url, not "${clusterId}"`);
  const rack = effective.get('broker.rack');
  const config: NodeConfig = {
    nodeId: Number(text('node.id')),
    isBroker: roles.includes('broker'),
    isController: roles.includes('controller'),
    ...(clusterId === undefined ? {} : { clusterId }),
    voters: parseVoters(text('controller.quorum.voters')),
    listeners,
    advertised: { ...listeners, ...parseListeners('advertised.listeners', text('advertised.listeners')) },
    homeDirectory: metadataDirectory === undefined ? logDirectory : withoutSlashes(metadataDirectory),
    logDirectories,
    ...(rack === undefined ? {} : { rack }),
    integer: (key) => Number(text(key)),
    boolean: (key) => text(key) === 'true',
    text,
    explicit: Object.fromEntries([...values].map(([key, { value }]) => [key, value])),
  };
  checkCombinations(config);
  return config;
}

function parseDirectories(value: string): string[] {
  const directories = splitList(value).map(withoutSlashes);
  const twice = directories.find((path, index) => directories.indexOf(path) !== index);
  if (twice !== undefined) throw new StartupError(`log.dirs names ${twice} twice`);
  return directories;
}

function withoutSlashes(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}

function checkKeys(values: ConfigValues): void {
  for (const [key, { value, source }] of values) {
    const definition: ConfigKey | undefined = SERVER_CONFIG_KEYS[key];
    if (definition === undefined) {
      const near = nearestKey(key, Object.keys(SERVER_CONFIG_KEYS));
      const hint = near === undefined ? ';' : `; did you mean "${near}"?`;
      throw new StartupError(
        `unknown configuration key "${key}" (${source})${hint} "quorate config explain" lists all keys`,
      );
    }
    const problem = configValueProblem(definition, value);
    if (problem !== undefined) throw new StartupError(`${key} (${source}) ${problem}`);
  }
}

function checkCombinations(config: NodeConfig): void {
  if (!config.isBroker && !config.isController)
    throw new StartupError('process.roles is empty: name broker, controller or both');
  if (config.isBroker && config.listeners.CLIENT === undefined)
    throw new StartupError('a broker needs a CLIENT listener, such as listeners=CLIENT://127.0.0.1:9092');
  if (config.isBroker && config.listeners.REPLICA === undefined)
    throw new StartupError('a broker needs a REPLICA listener, such as REPLICA://127.0.0.1:9192');
  if (config.isController && config.listeners.CONTROLLER === undefined)
    throw new StartupError('a controller needs a CONTROLLER listener, such as CONTROLLER://127.0.0.1:9093');
  const isVoter = config.voters.some((voter) => voter.id === config.nodeId);
  if (config.isController && !isVoter)
    throw new StartupError(`controller ${config.nodeId} is not in controller.quorum.voters`);
  if (!config.isController && isVoter)
    throw new StartupError(
      `node ${config.nodeId} is in controller.quorum.voters, but process.roles has no controller`,
    );
  const heartbeat = config.integer('broker.heartbeat.interval.ms');
  const session = config.integer('broker.session.timeout.ms');
  if (heartbeat >= session)
    throw new StartupError(
      `broker.heartbeat.interval.ms (${heartbeat}) must be below broker.session.timeout.ms (${session})`,
    );
}

function exampleOf(key: string): string {
  const examples: Readonly<Record<string, string>> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': '1@127.0.0.1:9093',
    listeners: 'CLIENT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
    'log.dirs': '/var/lib/quorate',
  };
  const example = examples[key];
  return example === undefined ? '' : ` (for example ${key}=${example})`;
}
