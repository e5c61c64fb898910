import { afterAll, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { type CheckOptions, checkHistory, type HistoryEvent } from '../../../src/testing/checkers/index.ts';
import { cleanHistory } from './clean-model.ts';
import { Draft } from './draft.ts';
import { MUTATIONS, type Wish } from './mutations/index.ts';

const SEEDS_MAX = 3000;
/** Histories into which each defect is planted. */
const PLANTED = 5;

interface Base {
  readonly events: readonly HistoryEvent[];
  readonly options: CheckOptions;
  readonly hasDeletes: boolean;
  readonly counters: Readonly<Record<string, number>>;
}

const bases = new Map<number, Base>();

function baseOf(seed: number): Base {
  const known = bases.get(seed);
  if (known !== undefined) return known;
  const { events, options } = cleanHistory(seed);
  const hasDeletes = events.some(({ operation }) => operation.f === 'delete-records');
  const base = { events, options, hasDeletes, counters: checkHistory(events, options).counters };
  bases.set(seed, base);
  return base;
}

function isWanted({ counters, hasDeletes }: Base, wants: Wish | undefined): boolean {
  if (hasDeletes || (counters.polled ?? 0) > 300) return false;
  const isDoubted = (counters['doubted-partitions'] ?? 0) > 0;
  if (wants === 'doubted') return isDoubted;
  return !isDoubted && (wants !== 'lossy' || (counters['lossy-faults'] ?? 0) > 0);
}

const caught: string[] = [];

it.for(MUTATIONS)('%s: %s', ([kind, name, plant, wants]) => {
  let planted = 0;
  const missed: unknown[] = [];
  for (let seed = 1; seed <= SEEDS_MAX && planted < PLANTED; seed++) {
    const base = baseOf(seed);
    if (!isWanted(base, wants)) continue;
    const draft = new Draft(base.events, new SeededRandom(seed, name));
    if (!plant(draft)) continue;
    planted++;
    const { valid, anomalies } = checkHistory(draft.history, base.options);
    if (valid || anomalies[kind] === undefined) missed.push({ seed, anomalies });
  }
  expect(missed).toEqual([]);
  expect(planted).toBe(PLANTED);
  caught.push(`${kind.padEnd(26)} ${name}`);
});

afterAll(() => {
  console.log(
    `${caught.join('\n')}\n${caught.length} of ${MUTATIONS.length} caught, each in ${PLANTED} histories`,
  );
});
