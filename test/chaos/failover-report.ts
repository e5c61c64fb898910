/** What the kills of a run cost, class by class, and each that took too long. */
import { type Failover, type Failovers, KILL_CLASSES, type KillClass, SLOW_MS } from './failovers.ts';

const TITLES: Readonly<Record<KillClass, string>> = {
  spare: 'KILLS OF WHAT IT CAN DO WITHOUT, from the kill',
  needed: 'KILLS OF WHAT IT NEEDS, from the start of the last node again',
  'on-top': 'KILLS ON TOP OF SOMETHING ELSE, from the kill',
};

/** How the line of a kill that took too long begins. */
export const SLOW_LINE = '  SLOW';

/** One line each. `beganMs` on the clock of the failovers. */
export function failoverLines({ all }: Failovers, beganMs: number): string[] {
  return KILL_CLASSES.flatMap((killClass) => {
    const kills = all.filter((one) => one.killClass === killClass);
    const steps = [...new Set(kills.map(({ step }) => step))].sort();
    const slow = kills.filter(({ tookMs }) => tookMs === undefined || tookMs > SLOW_MS);
    return [
      summary(TITLES[killClass], kills),
      ...steps.map((step) =>
        summary(
          `  ${step}`,
          kills.filter((one) => one.step === step),
        ),
      ),
      ...(killClass === 'on-top' ? [] : slow.map((one) => slowLine(one, beganMs))),
    ];
  });
}

function summary(title: string, kills: readonly Failover[]): string {
  const needless = kills.filter(({ wasNeedless }) => wasNeedless).length;
  const endless = kills.filter(({ tookMs }) => tookMs === undefined).length;
  const times = kills.flatMap(({ tookMs, wasNeedless }) =>
    tookMs === undefined || wasNeedless ? [] : [tookMs],
  );
  const figures =
    times.length === 0
      ? ''
      : `, to the first ack everywhere median ${percentile(times, 0.5)} ms, ` +
        `p99 ${percentile(times, 0.99)} ms, max ${percentile(times, 1)} ms`;
  const beside = [
    ...(needless > 0 ? [`${needless} more that stopped nothing`] : []),
    ...(endless > 0 ? [`${endless} more without an end`] : []),
  ];
  return `${[`${title}: ${times.length} times${figures}`, ...beside].join('; ')}`;
}

function slowLine(failover: Failover, beganMs: number): string {
  const { step, victims, killedMs, tookMs, ackedMs, refusals, sight } = failover;
  const atS = ((killedMs - beganMs) / 1000).toFixed(1);
  const took = tookMs === undefined ? 'never ended' : `took ${Math.round(tookMs)} ms`;
  const acks = [...ackedMs]
    .sort(([a], [b]) => a - b)
    .map(([partition, ms]) => `${partition}: ${Math.round(ms)}`);
  const refused = [...refusals]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, { times, untilMs }]) => `${kind} ${times} times until ${Math.round(untilMs)}`);
  const parts = [
    `${SLOW_LINE} at ${atS} s, ${step} of ${victims}: ${took} (partition: ms ${acks.join(', ')})`,
    sight,
    refused.length === 0 ? '' : `refused (ms from the kill): ${refused.join(', ')}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
}
