/** What a run of many seeds must have seen: a simulation that never does it proves nothing about it. */
import { FAULT_KINDS, type FaultKind } from './faults/kinds.ts';
import { simulatedPoints } from './inserted-points.ts';

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
  'disks replaced in the end',
  'brokers cut off in the end',
  'topics made again in the end',
  'followers cut off in the end',
  'leaders deposed in the end',
  'leaders stopped while somebody waits',
  'directories missing in the end',
  'followers trailing in the end',
  'disks of followers stalled in the end',
  'records acknowledged',
  'records read',
  'sends in doubt',
  'records lost unsynced',
  'damaged logs fetched anew',
  'indexes made anew',
  'logs compacted',
  'keys read in the end',
  'data directories offline',
  'new leaders asked for the end',
  'cuts: halves',
  'cuts: bridge',
  'cuts: leader',
  'cuts: roles',
  'cuts: clients',
] as const;

/** Fewer seeds than this need not see everything. */
export const COVERAGE_SEEDS_MIN = 1_000;

export const pairName = (a: string, b: string): string => `pair: ${[a, b].sort().join(' + ')}`;

/** Of a failure point that a node got to, and of one at which a node died. */
const PASSED = 'failure point passed: ';
const DIED = 'failure point: ';

export const passedName = (point: string): string => PASSED + point;
export const diedName = (point: string): string => DIED + point;

/** Without failure points, where none are inserted. */
function possibleKinds(): readonly FaultKind[] {
  return FAULT_KINDS.filter((kind) => kind !== 'failure point' || simulatedPoints().length > 0);
}

/** Names of what never happened. */
export function findUncovered(counters: ReadonlyMap<string, number>): string[] {
  const wanted: string[] = [...MUST_HAPPEN, ...simulatedPoints().map(passedName)];
  for (const [index, kind] of possibleKinds().entries()) {
    wanted.push(`fault: ${kind}`);
    for (const other of possibleKinds().slice(index + 1)) wanted.push(pairName(kind, other));
  }
  return wanted.filter((name) => (counters.get(name) ?? 0) === 0);
}

/** All counters as lines of a table; pairs and failure points as sums, for there are many. */
export function describeCounters(counters: ReadonlyMap<string, number>): string[] {
  const lines: string[] = [];
  let pairs = 0;
  for (const [name, value] of [...counters].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (name.startsWith('pair: ')) pairs++;
    else if (!name.startsWith(PASSED) && !name.startsWith(DIED)) lines.push(`${name.padEnd(32)} ${value}`);
  }
  const { length } = possibleKinds();
  lines.push(`${'pairs of faults at once'.padEnd(32)} ${pairs} of ${(length * (length - 1)) / 2}`);
  return [...lines, ...describePoints(counters)];
}

function describePoints(counters: ReadonlyMap<string, number>): string[] {
  const points = simulatedPoints();
  if (points.length === 0) return [];
  const died = points.filter((name) => counters.has(diedName(name)));
  return [
    `${'failure points'.padEnd(32)} ${points.length}`,
    `${'  that nodes got to'.padEnd(32)} ${points.length - findUnpassed(counters).length}`,
    `${'  at which nodes died'.padEnd(32)} ${died.length}`,
  ];
}

/** Failure points that no node got to. */
export function findUnpassed(counters: ReadonlyMap<string, number>): string[] {
  return simulatedPoints().filter((name) => !counters.has(passedName(name)));
}
