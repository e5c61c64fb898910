/** Bits that turn on the disks of a {@link RotWorld}, one replica of a partition at a time, and what came of each. */
import type { NodeId } from '../../../src/base/index.ts';
import type { Lane } from './lane.ts';
import type { RotWorld } from './rot-world.ts';

export const KINDS = [
  '.log',
  '.index',
  '.timeindex',
  '.snapshot',
  'leader-epoch-checkpoint',
  'partition.metadata',
] as const;
export type Kind = (typeof KINDS)[number] | 'offset-checkpoint';

export type How = 'read' | 'compare' | 'scrub' | 'restart' | 'leader';

export interface Flip {
  readonly id: NodeId;
  /** undefined: in a file of the whole directory. */
  readonly lane: Lane | undefined;
  readonly kind: Kind;
  readonly how: How;
  readonly path: string;
  readonly bit: number;
  /** The file as the flip left it. */
  readonly bytes: Buffer;
  outcome: string | undefined;
}

/** One bit of a file of that kind; undefined: the replica has none. */
export function flip(
  world: RotWorld,
  flips: readonly Flip[],
  place: { readonly id: NodeId; readonly lane?: Lane; readonly kind: Kind; readonly how: How },
  closedOnly = false,
): Flip | undefined {
  const { id, lane, kind, how } = place;
  // Two in one replica would be mended as one.
  if (flips.some((one) => one.outcome === undefined && one.id === id && one.lane === lane)) return undefined;
  const among = (lane === undefined ? world.allPaths(id) : world.paths(id, lane.name)).filter((path) =>
    path.endsWith(kind),
  );
  const paths = (closedOnly ? among.slice(0, -1) : among).filter((path) => world.bytes(id, path).length > 0);
  if (paths.length === 0) return undefined;
  const path = world.pick(paths);
  const bit = world.random.integer(0, world.bytes(id, path).length * 8);
  world.files(id).flipBit(path, bit);
  return { id, lane, kind, how, path, bit, bytes: world.bytes(id, path), outcome: undefined };
}

/** What has come of the flips so far; those that nobody noticed stay open. `now`: the way in which they could be found. */
export function judge(world: RotWorld, flips: readonly Flip[], now: How): void {
  for (const one of flips) {
    if (one.outcome !== undefined) continue;
    const { id, lane, path, bytes } = one;
    const later = now === one.how ? '' : `, later by ${now}`;
    const isAnew = lane !== undefined && world.wasSetAside(id, lane.name);
    const isChanged = !world.allPaths(id).includes(path) || !startsWith(world.bytes(id, path), bytes);
    if (isAnew) one.outcome = `log fetched anew${later}`;
    // Above the recovery point rot looks like a torn tail.
    else if (isChanged && one.kind === '.log') one.outcome = `tail cut and fetched anew${later}`;
    else if (isChanged) one.outcome = `file made anew${later}`;
  }
}

/** A segment that was active has grown since. */
function startsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.subarray(0, start.length).equals(start);
}

export function tableOf(flips: readonly Flip[]): string {
  const counts = new Map<string, Map<string, number>>();
  for (const { kind, how, outcome = 'no difference' } of flips) {
    const row = `${kind.padEnd(24)} ${how.padEnd(8)}`;
    const columns = counts.get(row) ?? new Map<string, number>();
    counts.set(row, columns);
    columns.set(outcome, (columns.get(outcome) ?? 0) + 1);
  }
  const lines = [...counts].toSorted().map(([row, columns]) => {
    const cells = [...columns].toSorted().map(([outcome, count]) => `${count} ${outcome}`);
    return `${row} ${cells.join(', ')}`;
  });
  return lines.join('\n');
}
