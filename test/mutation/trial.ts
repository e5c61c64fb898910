/**
 * Tries one mutant: the simulation of the whole cluster first, seed after seed as `npm run sim` draws them; if that does not
 * see it, the unit tests of its folder.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { runSuite } from '../museum/child.ts';
import { hunt } from '../museum/hunt.ts';
import { makeTree, ROOT, removeTree } from '../museum/tree.ts';
import { type Mutant, mutatedText } from './mutant.ts';

/** Of the processor. Mostly two seconds are enough: one that takes so much has lost its end. */
const SEED_MS = 120_000;

export interface Trial {
  readonly name: string;
  readonly file: string;
  readonly was: string;
  readonly change: string;
  readonly outcome: 'simulation' | 'tests' | 'survived';
  /** The law, or test, that did not hold. */
  readonly law?: string;
  readonly seed?: number;
  /** Run with the bug, the killing one included. */
  readonly seeds: number;
  readonly cpuMs: number;
}

export interface TrialSettings {
  readonly seedsMax: number;
  readonly cpuMsMax: number;
}

export async function tryMutant(mutant: Mutant, { seedsMax, cpuMsMax }: TrialSettings): Promise<Trial> {
  const { name, file, was, change } = mutant;
  const tree = makeTree('mutant', new Map([[file, mutatedText(ROOT, mutant)]]));
  try {
    const found = await hunt({ tree, kind: 'sim', count: seedsMax, cpuMsMax, seedMsMax: SEED_MS });
    const { seeds, killed } = found;
    const common = { name, file, was, change, seeds, cpuMs: Math.round(found.cpuMs) };
    if (killed !== undefined) return { ...common, outcome: 'simulation', law: killed.law, seed: killed.seed };
    const law = await brokenTest(tree, file);
    return law === undefined ? { ...common, outcome: 'survived' } : { ...common, outcome: 'tests', law };
  } finally {
    removeTree(tree);
  }
}

/** The first test that fails with the bug, of those that mirror the folder of `file`. */
async function brokenTest(tree: string, file: string): Promise<string | undefined> {
  const folder = dirname(file).replace(/^src/, 'test');
  if (!existsSync(`${ROOT}/${folder}`)) return undefined;
  return (await runSuite(tree, `${folder}/`)).failed?.law;
}
