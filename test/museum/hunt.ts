/** Looks for the seed that shows the bug of a tree. A failure counts only when the same seed passes without the bug. */
import { runSeeds, type SeedsRun } from './child.ts';
import { ROOT } from './tree.ts';

export interface HuntWanted {
  readonly tree: string;
  readonly kind: 'sim' | 'sim:raft';
  /** Seeds 1 to it. */
  readonly count: number;
  readonly preset?: Readonly<Record<string, unknown>>;
  /** No seed is begun after it. */
  readonly deadlineMs?: number;
  /** Nor after so much time of the processor. */
  readonly cpuMsMax?: number;
  /** A seed that takes longer runs for ever. */
  readonly seedMsMax?: number;
}

export interface Hunt {
  /** Run with the bug, the killing one included. */
  readonly seeds: number;
  /** With the bug. */
  readonly cpuMs: number;
  readonly killed?: NonNullable<SeedsRun['failed']>;
}

export async function hunt(wanted: HuntWanted): Promise<Hunt> {
  const { tree, count, cpuMsMax = Number.POSITIVE_INFINITY, deadlineMs, ...common } = wanted;
  const limits = deadlineMs === undefined ? {} : { deadlineMs };
  const isTime = (): boolean => cpuMs < cpuMsMax && Date.now() < (deadlineMs ?? Number.POSITIVE_INFINITY);
  let seeds = 0;
  let cpuMs = 0;
  for (let from = 1; from <= count && isTime(); ) {
    const left = { count: count - from + 1, cpuMsMax: cpuMsMax - cpuMs };
    const run = await runSeeds({ ...common, ...limits, ...left, tree, from });
    seeds += run.count;
    cpuMs += run.cpuMs;
    const { failed } = run;
    if (failed === undefined) break;
    const without = await runSeeds({ ...common, tree: ROOT, from: failed.seed, count: 1 });
    if (without.failed === undefined) return { seeds, cpuMs, killed: failed };
    from = failed.seed + 1;
  }
  return { seeds, cpuMs };
}
