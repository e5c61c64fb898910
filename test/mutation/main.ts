/**
 * `npm run mutate -- [paths…] [--only TEXT]… [--sample K --seed S] [--seeds N] [--cpu-minutes M] [--list] [--record]`: puts
 * one small slip at a time into a copy of the sources and looks whether the simulation notices, else whether the unit
 * tests do. `--record` keeps what came out and writes docs/testing/mutation.md; with `--sample 0` the page
 * alone.
 */
import { parseArgs } from 'node:util';
import { SeededRandom, shuffle } from '../../src/base/index.ts';
import { ROOT } from '../museum/tree.ts';
import { listMutants, type Mutant } from './mutant.ts';
import { keepTrials, lineOf, scoreOf } from './report.ts';
import { type Trial, tryMutant } from './trial.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', multiple: true, default: [] },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1000' },
    'cpu-minutes': { type: 'string', default: '10' },
    list: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
});
process.exitCode = await main();

async function main(): Promise<number> {
  const paths = positionals.length === 0 ? ['src/broker/replica'] : positionals;
  const chosen = choose(listMutants(ROOT, paths));
  if (values.list) {
    for (const { name } of chosen) say(name);
    return 0;
  }
  const settings = { seedsMax: Number(values.seeds), cpuMsMax: Number(values['cpu-minutes']) * 60_000 };
  const trials: Trial[] = [];
  for (const mutant of chosen) {
    const trial = await tryMutant(mutant, settings);
    trials.push(trial);
    say(lineOf(trial));
    if (values.record) keepTrials([trial]);
  }
  // Also without a trial: the page anew, of what is known.
  if (values.record) keepTrials(trials);
  say(scoreOf(trials));
  return trials.some(({ outcome }) => outcome === 'survived') ? 1 : 0;
}

/** Those with one of the texts in their name, and of these a sample, in the order of the sources. */
function choose(all: readonly Mutant[]): readonly Mutant[] {
  const { only, sample } = values;
  const named = only.length === 0 ? all : all.filter(({ name }) => only.some((text) => name.includes(text)));
  if (sample === undefined) return named;
  const drawn = new Set(
    shuffle([...named], new SeededRandom(Number(values.seed), 'mutants')).slice(0, Number(sample)),
  );
  return named.filter((mutant) => drawn.has(mutant));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
