/** The tables of the documentation that are made of tables in the code. */
import { type ConfigKey, ERRORS, SERVER_CONFIG_KEYS, TOPIC_CONFIG_KEYS } from '../../src/base/index.ts';
import { EXIT_STATUS, type FatalReason } from '../../src/env/index.ts';
import { readSources } from './sources.ts';

export interface Catalogue {
  /** Below the root. */
  readonly file: string;
  /** Name in the marker of the place it goes to. */
  readonly name: string;
  readonly table: string;
}

const EXIT_TEXTS: Readonly<Record<FatalReason, string>> = {
  bug: 'a broken promise of our own code; report it, with the last lines of the log',
  'sync-failed':
    'the disk did not confirm a write; what is on it is unknown until the next start has verified it',
  storage: 'a data directory can no longer be read or written',
  'metadata-replay': 'a metadata record could not be applied; this version does not understand the log',
  'fenced-for-ever': 'the cluster refuses this node for good, for instance because its id is taken',
};

export const CATALOGUES: readonly Catalogue[] = [
  { file: 'docs/configuration.md', name: 'server keys', table: configTable(SERVER_CONFIG_KEYS) },
  { file: 'docs/configuration.md', name: 'topic keys', table: configTable(TOPIC_CONFIG_KEYS) },
  { file: 'docs/metrics.md', name: 'metrics', table: metricsTable() },
  { file: 'docs/errors.md', name: 'errors', table: errorTable() },
  { file: 'docs/errors.md', name: 'exit statuses', table: exitTable() },
];

export interface MetricEntry {
  readonly kind: string;
  readonly name: string;
  readonly help: string;
}

/** Wherever one is registered: name and help stand there as strings. `sum` is a gauge over all logs. */
export function readMetrics(): MetricEntry[] {
  const pattern = /\b(counter|gauge|histogram|sum)\(\s*'([a-z0-9_]+)',\s*'([^']+)'/g;
  const found: MetricEntry[] = [];
  for (const { text } of readSources('src'))
    for (const [, kind = '', name = '', help = ''] of text.matchAll(pattern))
      found.push({ kind: kind === 'sum' ? 'gauge' : kind, name, help });
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `text` with the table between the markers of `catalogue` replaced; undefined when it has no such markers. */
export function withTable(text: string, catalogue: Catalogue): string | undefined {
  const begin = `<!-- ${catalogue.name}: made from the code, see CONTRIBUTING.md -->\n`;
  const end = `<!-- end of ${catalogue.name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) return undefined;
  return `${text.slice(0, from)}${begin}\n${catalogue.table}\n${text.slice(to)}`;
}

/** Columns are padded, as the formatter would do. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  return line(head) + line(widths.map((width) => '-'.repeat(width))) + rows.map(line).join('');
}

function configTable(keys: Readonly<Record<string, ConfigKey>>): string {
  const rows = Object.entries(keys).map(([name, key]) => [
    `\`${name}\``,
    key.default === undefined ? (key.required === true ? '_required_' : '_none_') : defaultText(key.default),
    allowed(key),
    key.topic === undefined ? key.text : `${key.text} (topic: \`${key.topic}\`)`,
  ]);
  return table(['Key', 'Default', 'Allowed', 'Meaning'], rows);
}

function defaultText(value: string): string {
  return value === '' ? '_empty_' : `\`${value}\``;
}

function allowed(key: ConfigKey): string {
  if (key.values !== undefined) {
    const words = key.values.map((value) => `\`${value}\``).join(', ');
    return key.type === 'list' ? `list of ${words}` : words;
  }
  if (key.type === 'number')
    return key.max === Number.MAX_VALUE ? `${key.min} or more` : `${key.min} to ${key.max}`;
  if (key.type !== 'integer') return key.type === 'boolean' ? '`true`, `false`' : key.type;
  const hasMax = key.max !== undefined && key.max !== Number.MAX_SAFE_INTEGER;
  return hasMax ? `${key.min} to ${key.max}` : `${key.min} or more`;
}

function errorTable(): string {
  const rows = Object.entries(ERRORS)
    .sort(([, a], [, b]) => a.code - b.code)
    .map(([name, { code, retriable, definite, text }]) => [
      `\`${name}\``,
      String(code),
      retriable ? 'yes' : 'no',
      definite ? 'nothing' : 'unknown',
      text,
    ]);
  return table(['Error', 'Number', 'Retriable', 'Effect of the request', 'Meaning'], rows);
}

function metricsTable(): string {
  const rows = readMetrics().map(({ kind, name, help }) => [`\`quorate_${name}\``, kind, help]);
  return table(['Metric', 'Kind', 'Meaning'], rows);
}

function exitTable(): string {
  const reasons = Object.keys(EXIT_STATUS) as FatalReason[];
  const rows = reasons.map((reason) => [String(EXIT_STATUS[reason]), `\`${reason}\``, EXIT_TEXTS[reason]]);
  return table(['Status', 'Reason in the log', 'Meaning'], rows);
}
