/**
 * Changes of dynamic configuration, key by key. A resource of a request passes or fails as a whole, apart from the others.
 *
 * Of a broker only those keys can change that stand behind a topic key; the others are read at start. A value that does not
 * change makes no record, but for brokers, where writing it again asks for a reload (KAFKA-14136). Allowing unclean
 * election takes effect at once on partitions without a leader. Source: KIP-339.
 */
import { type ConfigKey, SERVER_CONFIG_KEYS, splitList, TOPIC_CONFIG_KEYS } from '../../base/index.ts';
import { acceptEach, refuse } from '../../machine/index.ts';
import type {
  AlterConfigsReply,
  AlterConfigsRequest,
  AlteredConfigs,
  ConfigChange,
  ConfigOperation,
} from '../../rpc/api/index.ts';
import { effectiveTopicValue } from '../image/effective-config.ts';
import { type MetadataImage, replay } from '../image/image.ts';
import type { ConfigRecord, MetadataRecord } from '../records/records.ts';
import { RECORDS_MAX } from './config.ts';
import type { DecideContext, MetadataDecision } from './context.ts';
import { recordsForLeaderless } from './leadership.ts';
import { configProblem } from './topic-configs.ts';

type Refusal = ReturnType<typeof refuse>;

const UNCLEAN = 'unclean.leader.election.enable';
/** Server keys that can change while the cluster runs. */
const BROKER_CONFIG_KEYS: Readonly<Record<string, ConfigKey>> = Object.fromEntries(
  Object.entries(SERVER_CONFIG_KEYS).filter(([, { topic }]) => topic !== undefined),
);

export function decideAlterConfigs(
  image: MetadataImage,
  request: AlterConfigsRequest,
  context: DecideContext,
): MetadataDecision<AlterConfigsReply> {
  const counts = new Map<string, number>();
  for (const { type, name } of request.changes)
    counts.set(`${type}:${name}`, (counts.get(`${type}:${name}`) ?? 0) + 1);
  const records: MetadataRecord[] = [];
  const resources = request.changes.map((change): AlteredConfigs => {
    const { type, name } = change;
    const isTwice = (counts.get(`${type}:${name}`) ?? 0) > 1;
    const outcome = isTwice
      ? refuse('INVALID_REQUEST', `${type} "${name}" is in the request more than once`)
      : changeResource(image, change, context);
    if (outcome.kind === 'refused') {
      const { code: error, message: errorMessage } = outcome.error;
      return { type, name, error, errorMessage };
    }
    records.push(...outcome.records);
    return { type, name, error: 'NONE' };
  });
  if (records.length > RECORDS_MAX)
    return refuse('POLICY_VIOLATION', `${records.length} changes at once; at most ${RECORDS_MAX}`);
  if (request.validateOnly) return acceptEach<MetadataRecord, AlterConfigsReply>([], { resources });
  if (records.some((record) => record.kind === 'config' && record.name === UNCLEAN)) {
    const after = records.reduce(replay, image);
    records.push(...recordsForLeaderless(after, undefined, context.config.staticConfig));
  }
  return acceptEach(records, { resources });
}

function changeResource(
  image: MetadataImage,
  change: ConfigChange,
  context: DecideContext,
): { kind: 'changed'; records: ConfigRecord[] } | Refusal {
  const missing = missingResource(image, change);
  if (missing !== undefined) return missing;
  const { type, name: resourceName, operations } = change;
  const names = operations.map(({ name }) => name);
  if (new Set(names).size < names.length) return refuse('INVALID_REQUEST', 'a key is changed twice');
  const config = image.configs.resourceConfig(type, resourceName);
  const records: ConfigRecord[] = [];
  for (const operation of operations) {
    const outcome = applyOperation(image, change, operation, context);
    if (outcome.kind === 'refused') return outcome;
    const { value } = outcome;
    if (type === 'topic' && config.get(operation.name) === value) continue;
    const record = { kind: 'config', resourceType: type, resourceName, name: operation.name } as const;
    records.push(value === undefined ? record : { ...record, value });
  }
  return { kind: 'changed', records };
}

function missingResource(image: MetadataImage, { type, name }: ConfigChange): Refusal | undefined {
  if (type === 'topic')
    return image.topics.find(name) === undefined
      ? refuse('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic "${name}"`)
      : undefined;
  if (name === '') return undefined;
  if (!/^\d+$/.test(name)) return refuse('INVALID_REQUEST', `"${name}" is no broker id; all brokers are ""`);
  return image.cluster.brokers.has(Number(name))
    ? undefined
    : refuse('BROKER_ID_NOT_REGISTERED', `broker ${name} is not registered`);
}

/** The key's value afterwards; undefined: none of its own. */
function applyOperation(
  image: MetadataImage,
  { type, name: resourceName }: ConfigChange,
  { kind, name, value }: ConfigOperation,
  { config }: DecideContext,
): { kind: 'value'; value: string | undefined } | Refusal {
  const keys = type === 'topic' ? TOPIC_CONFIG_KEYS : BROKER_CONFIG_KEYS;
  if (type === 'broker' && !Object.hasOwn(keys, name) && Object.hasOwn(SERVER_CONFIG_KEYS, name))
    return refuse('INVALID_CONFIG', `${name} is read at start only; set it in the configuration file`);
  const unknown = configProblem(keys, name, undefined, type);
  if (unknown !== undefined) return refuse('INVALID_CONFIG', unknown);
  if (kind === 'delete') return { kind: 'value', value: undefined };
  if (value === undefined) return refuse('INVALID_CONFIG', `${kind} of ${name} has no value`);
  let next = value;
  if (kind !== 'set') {
    if (keys[name]?.type !== 'list')
      return refuse('INVALID_CONFIG', `${name} is no list; ${kind} is for lists only`);
    const own = image.configs.resourceConfig(type, resourceName).get(name);
    const present =
      own ??
      (type === 'topic'
        ? effectiveTopicValue(image, resourceName, name, config.staticConfig).value
        : (keys[name]?.default ?? ''));
    next = changeList(splitList(present), splitList(value), kind).join(',');
  }
  const problem = configProblem(keys, name, next, type);
  return problem === undefined ? { kind: 'value', value: next } : refuse('INVALID_CONFIG', problem);
}

function changeList(
  present: readonly string[],
  words: readonly string[],
  kind: 'append' | 'subtract',
): string[] {
  return kind === 'append'
    ? [...present, ...words.filter((word) => !present.includes(word))]
    : present.filter((word) => !words.includes(word));
}
