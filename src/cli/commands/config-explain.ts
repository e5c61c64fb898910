import type { Command } from 'commander';
import {
  type ConfigKey,
  nearestKey,
  SERVER_CONFIG_KEYS,
  StartupError,
  TOPIC_CONFIG_KEYS,
} from '../../base/index.ts';
import { fail, printJson, printLine, printTable } from '../output.ts';

interface ExplainedKey {
  readonly name: string;
  readonly scope: 'server' | 'topic';
  readonly definition: ConfigKey;
}

export function defineConfig(group: Command): void {
  group
    .command('explain [key]')
    .description('list every configuration key, or explain one')
    .option('--json', 'one JSON object a line')
    .action((key: string | undefined, options: { json?: boolean }) => {
      try {
        explain(key, options.json === true);
      } catch (error) {
        fail(error, options.json === true);
      }
    });
}

function explain(name: string | undefined, json: boolean): void {
  const all: ExplainedKey[] = [
    ...Object.entries(SERVER_CONFIG_KEYS).map(([key, definition]) => explained(key, 'server', definition)),
    ...Object.entries(TOPIC_CONFIG_KEYS).map(([key, definition]) => explained(key, 'topic', definition)),
  ];
  const chosen = name === undefined ? all : all.filter((key) => key.name === name);
  if (chosen.length === 0) {
    const near = nearestKey(
      name ?? '',
      all.map((key) => key.name),
    );
    throw new StartupError(
      `no configuration key is named "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`,
    );
  }
  if (json) for (const { name, scope, definition } of chosen) printJson({ name, scope, ...definition });
  else if (name === undefined)
    printTable(
      ['KEY', 'SCOPE', 'DEFAULT', 'MEANING'],
      chosen.map((key) => [key.name, key.scope, defaultOf(key.definition), key.definition.text]),
    );
  else chosen.forEach(printKey);
}

function printKey({ name, scope, definition }: ExplainedKey): void {
  printLine(`${name} (${scope})`);
  printLine(`  ${definition.text}`);
  printLine(`  type: ${definition.type}${allowed(definition)}   default: ${defaultOf(definition)}`);
  if (definition.topic !== undefined) printLine(`  overridden per topic by: ${definition.topic}`);
}

function allowed(definition: ConfigKey): string {
  if (definition.values !== undefined) return ` of ${definition.values.join(', ')}`;
  return definition.min === undefined ? '' : ` from ${definition.min} to ${definition.max}`;
}

function defaultOf(definition: ConfigKey): string {
  if (definition.required) return '(required)';
  return definition.default === undefined ? '(none)' : definition.default === '' ? '""' : definition.default;
}

function explained(name: string, scope: ExplainedKey['scope'], definition: ConfigKey): ExplainedKey {
  return { name, scope, definition };
}
