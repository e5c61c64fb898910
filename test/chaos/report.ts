/** What a run has to say when it is over. */
import type { AnomalyKind, Verdict } from '../../src/testing/index.ts';
import { failoverLines } from './failover-report.ts';
import type { Failovers, Silences } from './failovers.ts';
import type { Machine } from './machine.ts';
import type { Nemesis } from './nemesis.ts';
import type { Footprint } from './nodes.ts';
import type { Observations } from './observations.ts';
import { STEP_NAMES, STEPS } from './schedule.ts';
import type { Stage } from './steps/stage.ts';
import type { UnsyncedLosses } from './unsynced-losses.ts';

export interface RunReport {
  readonly machine: Machine;
  readonly nemesis: Nemesis;
  readonly stage: Stage;
  readonly problems: Observations['problems'];
  readonly verdict: Verdict;
  readonly unsynced: UnsyncedLosses;
  readonly failovers: Failovers;
  readonly silences: Silences;
  /** On the clock of `performance`. */
  readonly beganMs: number;
  readonly healing: { readonly ackMs: number; readonly isrMs: number };
  /** Lines in the logs of the nodes, by kind. */
  readonly logged: ReadonlyMap<string, number>;
  readonly footprints: readonly (readonly [name: string, Footprint | undefined, Footprint | undefined])[];
}

/** One line each. */
export function report(run: RunReport): string[] {
  const { machine, problems, verdict, nemesis, stage } = run;
  const { counters } = verdict;
  return [
    `network: ${machine.network}`,
    ...machine.skipped.map((what) => `SKIPPED ${what}`),
    ...[...run.logged].sort().map(([kind, count]) => `log: ${count} x ${kind}`),
    ...run.footprints.map(
      ([name, before, after]) => `${name}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`,
    ),
    `steps: ${listOf(nemesis.steps)}`,
    `steps never taken: ${untaken(nemesis)}`,
    `steps that could not be taken then: ${listOf(nemesis.failed)}`,
    ...[...stage.tally].sort().map(([what, count]) => `${what}: ${count}`),
    `nodes that ended for their disk, as they should: ${stage.nodes.storageExits}`,
    ...failoverLines(run.failovers, run.beganMs),
    silenceLine(run),
    `after healing: first ack everywhere ${run.healing.ackMs} ms, full in-sync sets ${run.healing.isrMs} ms later`,
    `records: ${counters.acked} acknowledged, ${counters.failed} failed, ${counters.unknown} unknown (${counters.recovered} of them written); ${counters.polled} read, ${counters['polled-finally']} of them in the end`,
    `of these ${anomalies(verdict)}`,
    `with write.caching: ${run.unsynced.acknowledged} acknowledged, ${run.unsynced.lost} of them lost with the power`,
    ...problems.map((problem) => `FINDING ${problem}`),
  ];
}

function silenceLine({ silences, beganMs }: RunReport): string {
  const { longest } = silences;
  if (longest === undefined) return 'nothing was ever acknowledged';
  const { partition, tookMs, endedMs } = longest;
  const endedS = ((endedMs - beganMs) / 1000).toFixed(1);
  return `longest silence: partition ${partition}, ${Math.round(tookMs)} ms until ${endedS} s`;
}

function anomalies({ anomalies: found }: Verdict): string {
  const count = (...kinds: AnomalyKind[]): number => kinds.reduce((sum, kind) => sum + (found[kind] ?? 0), 0);
  return [
    `${count('lost-write', 'unseen')} lost`,
    `${count('duplicate')} doubled`,
    `${count('nonmonotonic-send', 'int-nonmonotonic-send')} reordered`,
    `${count('inconsistent-offsets', 'corrupted-payload')} changed`,
    `${count('phantom', 'G1a', 'precommitted-read')} invented`,
    `${count('stale-read')} stale`,
  ].join(', ');
}

function untaken({ steps }: Nemesis): string {
  const names = STEP_NAMES.filter((name) => STEPS[name].weight > 0 && !steps.has(name));
  return names.length === 0 ? 'none' : names.join(', ');
}

function listOf(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, count]) => `${what} ${count}`).join(', ') || 'none';
}
