/**
 * Looks at one exhibit: makes the tree with the bug in it, and lets its killer loose.
 *
 * A failure counts only when the same seed, or suite, passes without the bug.
 */
import { runSuite } from './child.ts';
import type { NamedExhibit } from './exhibit.ts';
import { hunt } from './hunt.ts';
import { patchedFiles, Rotted } from './patch.ts';
import { makeTree, ROOT, removeTree } from './tree.ts';

export interface Visit {
  readonly exhibit: NamedExhibit;
  readonly outcome: 'killed' | 'survived' | 'rotted';
  /** The law that did not hold, or what has rotted. */
  readonly law: string;
  readonly message: string;
  readonly seed?: number;
  /** Run with the bug, the killing one included; 0 for a suite. */
  readonly seeds: number;
  readonly cpuMs: number;
  readonly withPreset: boolean;
}

export interface VisitSettings {
  /** At most so many for each simulation, whatever the exhibit says. */
  readonly seedsMax: number;
  readonly deadlineMs: number;
}

export async function visit(exhibit: NamedExhibit, settings: VisitSettings): Promise<Visit> {
  let tree: string;
  try {
    tree = makeTree(`museum-${exhibit.name}`, patchedFiles(ROOT, exhibit));
  } catch (error) {
    if (!(error instanceof Rotted)) throw error;
    const { message } = error;
    return { exhibit, outcome: 'rotted', law: message, message, seeds: 0, cpuMs: 0, withPreset: false };
  }
  try {
    const { killedBy } = exhibit;
    if (typeof killedBy === 'string') return await simulate(exhibit, tree, killedBy, settings);
    return await test(exhibit, tree, killedBy.test);
  } finally {
    removeTree(tree);
  }
}

async function test(exhibit: NamedExhibit, tree: string, file: string): Promise<Visit> {
  const { failed } = await runSuite(tree, file);
  const common = { exhibit, seeds: 0, cpuMs: 0, withPreset: false };
  if (failed === undefined) return { ...common, outcome: 'survived', law: '', message: '' };
  const without = await runSuite(ROOT, file);
  if (without.failed !== undefined)
    return { ...common, outcome: 'survived', law: '', message: `${file} fails without the bug, too` };
  return { ...common, outcome: 'killed', ...failed };
}

async function simulate(
  exhibit: NamedExhibit,
  tree: string,
  kind: 'sim' | 'sim:raft',
  settings: VisitSettings,
): Promise<Visit> {
  const count = Math.min(exhibit.seedsMax, settings.seedsMax);
  let seeds = 0;
  let cpuMs = 0;
  for (const preset of [undefined, exhibit.preset]) {
    if (preset === undefined && seeds > 0) break;
    const withPreset = preset !== undefined;
    const laid = withPreset ? { preset: preset.options } : {};
    const found = await hunt({ tree, kind, count, deadlineMs: settings.deadlineMs, ...laid });
    seeds += found.seeds;
    cpuMs += found.cpuMs;
    if (found.killed !== undefined)
      return { exhibit, outcome: 'killed', ...found.killed, seeds, cpuMs, withPreset };
  }
  return { exhibit, outcome: 'survived', law: '', message: '', seeds, cpuMs, withPreset: false };
}
