/** What a run of the museum comes to: the score, and the page of it. */
import type { Visit } from './visit.ts';

/** Below it the harness is not worth trusting. */
export const SCORE_MIN_PERCENT = 90;

export interface Score {
  readonly killed: number;
  readonly total: number;
  readonly percent: number;
  /** Of those that simulations killed; undefined: none. */
  readonly medianSeeds: number | undefined;
  /** What makes the run fail; empty: it is good. */
  readonly problems: readonly string[];
}

export function scoreOf(visits: readonly Visit[]): Score {
  const total = visits.length;
  const dead = visits.filter(({ outcome }) => outcome === 'killed');
  const percent = total === 0 ? 0 : (100 * dead.length) / total;
  const seeds = dead
    .map((visit) => visit.seeds)
    .filter((count) => count > 0)
    .toSorted((a, b) => a - b);
  const problems: string[] = [];
  for (const { exhibit, outcome, law } of visits) {
    if (outcome === 'rotted') problems.push(`${exhibit.name} has rotted: ${law}`);
    if (exhibit.isCanary && outcome !== 'killed') problems.push(`the canary ${exhibit.name} is not caught`);
  }
  if (percent < SCORE_MIN_PERCENT) problems.push(`${percent.toFixed(0)} % is below ${SCORE_MIN_PERCENT} %`);
  const medianSeeds = seeds[Math.floor((seeds.length - 1) / 2)];
  return { killed: dead.length, total, percent, medianSeeds, problems };
}

export function lineOf({ exhibit, outcome, law, seed, seeds, cpuMs, withPreset, message }: Visit): string {
  const spent = `${seeds} seeds, ${(cpuMs / 1000).toFixed(1)} CPU s`;
  const name = exhibit.name.padEnd(34);
  if (outcome === 'rotted') return `ROTTED   ${name} ${law}`;
  if (outcome === 'survived') return `SURVIVED ${name} after ${spent}${message === '' ? '' : `: ${message}`}`;
  if (seed === undefined) return `killed   ${name} by ${law}`;
  return `killed   ${name} by ${law} (seed ${seed}${withPreset ? ' of the preset' : ''}, ${spent})`;
}

/** The table of docs/testing/museum.md. */
export function tableOf(visits: readonly Visit[]): string {
  const { killed, total, percent, medianSeeds } = scoreOf(visits);
  const rows = visits.map(({ exhibit, outcome, law, seeds, cpuMs, withPreset }) => {
    const { name, title, source, killedBy, unseen } = exhibit;
    const by = typeof killedBy === 'string' ? killedBy : killedBy.test.split('/').at(-1);
    const after = seeds === 0 ? '' : `${seeds}${withPreset ? ' (preset)' : ''}`;
    const what = outcome === 'killed' ? law : `**${outcome}**${unseen === undefined ? '' : `: ${unseen}`}`;
    const spent = seeds === 0 ? '' : (cpuMs / 1000).toFixed(1);
    const cells = [name, title, source, by, what, after, spent];
    return `| ${cells.map((cell) => String(cell ?? '').replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    `**${killed} of ${total} killed (${percent.toFixed(0)} %); median of the simulations: ${medianSeeds ?? '-'} seeds to a kill.**`,
    '',
    '| Exhibit | Bug | Source | Harness | Caught by | Seeds | CPU s |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}
