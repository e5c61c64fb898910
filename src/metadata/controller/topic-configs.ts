/** Checks of configuration keys and values against the one table of keys. */
import { type ConfigKey, configValueProblem, nearestKey, TOPIC_CONFIG_KEYS } from '../../base/index.ts';

/** What is wrong with these topic keys, naming the first bad one; undefined when all are fine. */
export function topicConfigsProblem(configs: Readonly<Record<string, string>>): string | undefined {
  for (const [name, value] of Object.entries(configs)) {
    const problem = configProblem(TOPIC_CONFIG_KEYS, name, value, 'topic');
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** `value` undefined: only the key is checked. */
export function configProblem(
  keys: Readonly<Record<string, ConfigKey>>,
  name: string,
  value: string | undefined,
  what: string,
): string | undefined {
  const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
  if (key === undefined) {
    const nearest = nearestKey(name, Object.keys(keys));
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    return `unknown ${what} configuration key "${name}"${hint}`;
  }
  const problem = value === undefined ? undefined : configValueProblem(key, value);
  if (problem !== undefined) return `${name} ${problem}`;
  if (value === '' && key.type === 'list' && key.values !== undefined)
    return `${name} must hold at least one of ${key.values.join(', ')}`;
  return undefined;
}
