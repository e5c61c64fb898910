/**
 * `npm run museum -- [names…] [--seeds N] [--minutes M] [--parallel 1|2] [--record]`: puts each known bug back into a copy
 * of the sources and looks whether the tests notice. `--record` (or RECORD=1), with all exhibits, writes the page.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadExhibits } from './catalogue.ts';
import { lineOf, scoreOf, tableOf } from './report.ts';
import { ROOT } from './tree.ts';
import { type Visit, visit } from './visit.ts';

const PAGE = join(ROOT, 'docs/testing/museum.md');
const MARKS = ['<!-- museum -->', '<!-- /museum -->'] as const;
const PARALLEL_MAX = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    parallel: { type: 'string', default: '1' },
    record: { type: 'boolean', default: process.env.RECORD === '1' },
  },
});
process.exitCode = await main();

async function main(): Promise<number> {
  const all = await loadExhibits();
  const unknown = positionals.filter((name) => !all.some((exhibit) => exhibit.name === name));
  if (unknown.length > 0) {
    say(`no exhibit is called ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`);
    return 1;
  }
  const chosen = positionals.length === 0 ? all : all.filter(({ name }) => positionals.includes(name));
  const seedsMax = Number(values.seeds ?? Number.POSITIVE_INFINITY);
  const deadlineMs = Date.now() + Number(values.minutes ?? Number.POSITIVE_INFINITY) * 60_000;
  const visits: Visit[] = [];
  const waiting = [...chosen];
  const guide = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const seen = await visit(next, { seedsMax, deadlineMs });
      visits.push(seen);
      say(lineOf(seen));
    }
  };
  const parallel = Math.min(PARALLEL_MAX, Math.max(1, Number(values.parallel)));
  await Promise.all(Array.from({ length: parallel }, guide));
  const sorted = chosen.flatMap(({ name }) => visits.filter(({ exhibit }) => exhibit.name === name));
  const { killed, total, percent, medianSeeds, problems } = scoreOf(sorted);
  say(
    `${killed} of ${total} killed (${percent.toFixed(0)} %), median seeds to a kill: ${medianSeeds ?? 'none'}`,
  );
  for (const problem of problems) say(problem);
  if (values.record && chosen.length === all.length) record(sorted);
  return problems.length === 0 ? 0 : 1;
}

function record(visits: readonly Visit[]): void {
  const text = readFileSync(PAGE, 'utf8');
  const [open, close] = MARKS;
  const before = text.slice(0, text.indexOf(open) + open.length);
  const after = text.slice(text.indexOf(close));
  writeFileSync(PAGE, `${before}\n${tableOf(visits)}\n${after}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
