/** What a run of many seeds must have seen: a simulation that never does it proves nothing about it. */
import { FAULT_KINDS } from './faults/index.ts';

/** Consequences of faults. Faults themselves, and every pair of them, are asked for as well. */
const MUST_HAPPEN = [
  'elections of controllers',
  'elections of leaders',
  'truncations',
  'in-sync sets shrunk',
  'in-sync sets grown',
  'requests fenced',
  'batches deduplicated',
  'tails cut',
  'disks replaced',
  'records acknowledged',
  'records read',
  'sends in doubt',
  'cuts: halves',
  'cuts: bridge',
  'cuts: leader',
  'cuts: roles',
  'cuts: clients',
] as const;

/** Fewer seeds than this need not see everything. */
export const COVERAGE_SEEDS_MIN = 1_000;

export const pairName = (a: string, b: string): string => `pair: ${[a, b].sort().join(' + ')}`;

/** Names of what never happened. */
export function findUncovered(counters: ReadonlyMap<string, number>): string[] {
  const wanted: string[] = [...MUST_HAPPEN];
  for (const [index, kind] of FAULT_KINDS.entries()) {
    wanted.push(`fault: ${kind}`);
    for (const other of FAULT_KINDS.slice(index + 1)) wanted.push(pairName(kind, other));
  }
  return wanted.filter((name) => (counters.get(name) ?? 0) === 0);
}

/** All counters as lines of a table; pairs as a sum, for there are many. */
export function describeCounters(counters: ReadonlyMap<string, number>): string[] {
  const lines: string[] = [];
  let pairs = 0;
  for (const [name, value] of [...counters].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (name.startsWith('pair: ')) pairs++;
    else lines.push(`${name.padEnd(32)} ${value}`);
  }
  lines.push(
    `${'pairs of faults at once'.padEnd(32)} ${pairs} of ${(FAULT_KINDS.length * (FAULT_KINDS.length - 1)) / 2}`,
  );
  return lines;
}
