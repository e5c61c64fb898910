/**
 * Where configuration comes from, lowest first: a YAML or JSON file, the environment (`QUORATE_NODE_ID` for `node.id`),
 * `--set key=value`. Everything becomes a flat map of Kafka's key names to text; meaning is given in node-config.ts.
 */
import { parse } from 'yaml';
import { nearestKey, SERVER_CONFIG_KEYS, StartupError } from '../../base/index.ts';

/** A value and where it was read, for messages. */
export interface ConfigValue {
  readonly value: string;
  readonly source: string;
}

export type ConfigValues = ReadonlyMap<string, ConfigValue>;

const ENVIRONMENT_PREFIX = 'QUORATE_';
/** Environment names that are not keys: they belong to the command line. */
const ENVIRONMENT_RESERVED = new Set(['QUORATE_BOOTSTRAP', 'QUORATE_CONFIG', 'QUORATE_DATA_DIR']);

/** Text of a file to values. Nested maps are joined by dots, lists by commas. Throws StartupError on bad syntax. */
export function valuesFromFile(text: string, path: string): ConfigValues {
  let root: unknown;
  try {
    root = parse(text);
  } catch (error) {
    throw new StartupError(`${path} is neither YAML nor JSON: ${firstLine(error)}`);
  }
  const values = new Map<string, ConfigValue>();
  if (root === null || root === undefined) return values;
  if (typeof root !== 'object' || Array.isArray(root))
    throw new StartupError(`${path} must hold keys and values, such as "node.id: 1"`);
  flatten(root as Record<string, unknown>, '', path, values);
  return values;
}

export function valuesFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): ConfigValues {
  const keyOf = new Map(Object.keys(SERVER_CONFIG_KEYS).map((key) => [environmentName(key), key]));
  const values = new Map<string, ConfigValue>();
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || value === undefined || ENVIRONMENT_RESERVED.has(name))
      continue;
    const key = keyOf.get(name);
    if (key === undefined) {
      const near = nearestKey(name, keyOf.keys());
      throw new StartupError(
        `unknown environment variable ${name}${near === undefined ? '' : `; did you mean ${near}?`}`,
      );
    }
    values.set(key, { value, source: `environment ${name}` });
  }
  return values;
}

/** `key=value` arguments of `--set`. */
export function valuesFromArguments(settings: readonly string[]): ConfigValues {
  const values = new Map<string, ConfigValue>();
  for (const setting of settings) {
    const at = setting.indexOf('=');
    if (at <= 0) throw new StartupError(`--set takes key=value, not "${setting}"`);
    values.set(setting.slice(0, at).trim(), { value: setting.slice(at + 1).trim(), source: '--set' });
  }
  return values;
}

/** Later sources win. */
export function mergeValues(...sources: readonly ConfigValues[]): ConfigValues {
  return new Map(sources.flatMap((source) => [...source]));
}

/** The environment variable of a key. */
export function environmentName(key: string): string {
  return ENVIRONMENT_PREFIX + key.replaceAll('.', '_').toUpperCase();
}

function flatten(
  node: Record<string, unknown>,
  prefix: string,
  path: string,
  into: Map<string, ConfigValue>,
): void {
  for (const [name, value] of Object.entries(node)) {
    const key = prefix + name;
    if (Array.isArray(value)) into.set(key, { value: value.map(String).join(','), source: path });
    else if (value !== null && typeof value === 'object')
      flatten(value as Record<string, unknown>, `${key}.`, path, into);
    else into.set(key, { value: value === null ? '' : String(value), source: path });
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
