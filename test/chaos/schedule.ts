/**
 * What the nemesis does, drawn from a seed: each step by a stream of its own, so that what happens meanwhile, or how long it
 * takes, changes nothing of what is drawn later. Only who leads at that moment is not up to the seed.
 */
import { SeededRandom } from '../../src/base/index.ts';

/** What a step needs of the machine. */
export type Need = 'nothing' | 'shim';

export interface StepKind {
  readonly need: Need;
  /** How often, relative to others; 0: only when asked for by name. */
  readonly weight: number;
}

const KINDS = {
  'kill-broker': { need: 'nothing', weight: 2 },
  'kill-leader': { need: 'nothing', weight: 4 },
  'kill-controller': { need: 'nothing', weight: 2 },
  'kill-active-controller': { need: 'nothing', weight: 2 },
  'kill-two-brokers': { need: 'nothing', weight: 2 },
  'kill-two-controllers': { need: 'nothing', weight: 2 },
  'kill-all-brokers': { need: 'nothing', weight: 2 },
  'kill-all': { need: 'nothing', weight: 2 },
  'pause-broker': { need: 'nothing', weight: 2 },
  'pause-leader': { need: 'nothing', weight: 2 },
  'pause-active-controller': { need: 'nothing', weight: 2 },
  'pause-two': { need: 'nothing', weight: 2 },
  'pause-and-kill': { need: 'nothing', weight: 2 },
  'crash-loop': { need: 'nothing', weight: 2 },
  'crash-at-point': { need: 'nothing', weight: 3 },
  'rolling-restart': { need: 'nothing', weight: 1 },
  'stop-broker': { need: 'nothing', weight: 2 },
  'create-topic': { need: 'nothing', weight: 2 },
  'cut-node': { need: 'nothing', weight: 2 },
  'cut-one-way': { need: 'nothing', weight: 3 },
  'cut-halves': { need: 'nothing', weight: 2 },
  'cut-ring': { need: 'nothing', weight: 2 },
  'cut-leader': { need: 'nothing', weight: 3 },
  'cut-active-controller': { need: 'nothing', weight: 2 },
  'cut-controllers-from-brokers': { need: 'nothing', weight: 2 },
  'cut-clients-from-leader': { need: 'nothing', weight: 2 },
  'delay-links': { need: 'nothing', weight: 2 },
  'throttle-links': { need: 'nothing', weight: 2 },
  'dribble-links': { need: 'nothing', weight: 1 },
  'black-hole': { need: 'nothing', weight: 2 },
  'half-open': { need: 'nothing', weight: 2 },
  'reset-mid-frame': { need: 'nothing', weight: 3 },
  'flip-payload': { need: 'nothing', weight: 2 },
  // Nothing but the checksums of TCP, which a gate is above of, would notice a bit of a request's other fields.
  'flip-anywhere': { need: 'nothing', weight: 0 },
  'lose-unsynced-one': { need: 'shim', weight: 3 },
  'lose-unsynced-minority': { need: 'shim', weight: 3 },
  'lose-unsynced-all': { need: 'shim', weight: 3 },
  'write-error': { need: 'shim', weight: 2 },
  'sync-error': { need: 'shim', weight: 2 },
  'read-error': { need: 'shim', weight: 1 },
  'disk-full': { need: 'shim', weight: 2 },
  'slow-sync': { need: 'shim', weight: 2 },
  'clock-jump': { need: 'shim', weight: 2 },
} as const satisfies Readonly<Record<string, StepKind>>;

export type Step = keyof typeof KINDS;

export const STEPS: Readonly<Record<Step, StepKind>> = KINDS;
export const STEP_NAMES = Object.keys(KINDS) as Step[];

export interface DrawnStep {
  readonly step: Step;
  /** The next one does not wait until this one is over. */
  readonly overlaps: boolean;
  /** Until the next. */
  readonly pauseMs: number;
  /** For everything else about it. */
  readonly random: SeededRandom;
}

export interface StepChoice {
  /** Names or beginnings of names; absent: all with a weight. */
  readonly only?: readonly string[];
  readonly has: (need: Need) => boolean;
}

export function chooseSteps({ only, has }: StepChoice): Step[] {
  return STEP_NAMES.filter(
    (name) =>
      has(STEPS[name].need) &&
      (only === undefined ? STEPS[name].weight > 0 : only.some((word) => name.startsWith(word))),
  );
}

/** `steps`: not empty. */
export function drawStep(seed: number, index: number, steps: readonly Step[]): DrawnStep {
  const random = new SeededRandom(seed, `nemesis-${index}`);
  const urn = steps.flatMap((one) => Array.from({ length: Math.max(1, STEPS[one].weight) }, () => one));
  const step = urn[random.integer(0, urn.length)];
  if (step === undefined) throw new Error('no step is possible: see --only and what this machine lacks');
  // Mostly one thing after the other, sometimes one on top of the other.
  return { step, overlaps: random.float() < 0.25, pauseMs: random.integer(200, 5000), random };
}

/** From 0.1 to 20 s, short ones as likely as long ones. */
export function drawDurationMs(random: SeededRandom): number {
  return Math.round(100 * 200 ** random.float());
}

export function pick<T>(from: readonly T[], count: number, random: SeededRandom): T[] {
  const left = [...from];
  const picked: T[] = [];
  while (picked.length < count && left.length > 0)
    picked.push(...left.splice(random.integer(0, left.length), 1));
  return picked;
}
