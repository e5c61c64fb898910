/**
 * Carries out what the schedule draws. A step takes something away and, sooner or later, gives it back; steps follow one
 * another with pauses, and overlap sometimes.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { bothWays, linksBetween } from './net/links.ts';
import { chooseSteps, type DrawnStep, drawStep, pick, type Step } from './schedule.ts';
import {
  breakDisk,
  FULL,
  jumpClock,
  losePower,
  READ_ERROR,
  SYNC_ERROR,
  slowSync,
  WRITE_ERROR,
} from './steps/disks.ts';
import {
  cut,
  drawDelay,
  drawThrottle,
  everybodyBut,
  flipBits,
  halfOpen,
  halves,
  hold,
  isolation,
  oneWay,
  reset,
  ring,
  someLinks,
} from './steps/links.ts';
import { crashAtPoint, crashLoop, createTopic, kill, restart, suspend } from './steps/processes.ts';
import type { Stage } from './steps/stage.ts';

/** Steps that note their kills, or disturb nothing. */
const NOTED = /^(kill|lose-unsynced|crash|stop|rolling-restart|create-topic)/;

export interface NemesisOptions {
  readonly seed: number;
  /** Before a step is taken. */
  readonly onStep: (step: Step) => void;
  /** Names of steps, or beginnings of them; absent: all. */
  readonly only?: readonly string[];
}

export class Nemesis {
  readonly #stage: Stage;
  readonly #seed: number;
  readonly #onStep: (step: Step) => void;
  readonly #choice: readonly Step[];
  readonly #running = new Set<Promise<void>>();
  /** How often each step was taken. */
  readonly steps = new Map<Step, number>();
  /** Steps that could not be taken at that moment, with why. */
  readonly failed = new Map<string, number>();

  constructor(stage: Stage, { seed, onStep, only }: NemesisOptions) {
    this.#stage = stage;
    this.#seed = seed;
    this.#onStep = onStep;
    this.#choice = chooseSteps({
      ...(only === undefined ? {} : { only }),
      has: (need) => need === 'nothing' || stage.disks.size > 0,
    });
  }

  async run(untilMs: number): Promise<void> {
    for (let index = 0; performance.now() < untilMs; index++) {
      const drawn = drawStep(this.#seed, index, this.#choice);
      const { step } = drawn;
      this.steps.set(step, (this.steps.get(step) ?? 0) + 1);
      this.#onStep(step);
      const acting = this.#disturb(drawn).catch((error: unknown) => {
        this.failed.set(step, (this.failed.get(step) ?? 0) + 1);
        this.#stage.say(`  ${step}: ${String(error)}`);
      });
      this.#running.add(acting);
      acting.then(() => this.#running.delete(acting));
      if (!drawn.overlaps) await acting;
      await pause(drawn.pauseMs);
    }
    await Promise.all(this.#running);
  }

  /** No kill is timed as if nothing else were wrong. */
  async #disturb(drawn: DrawnStep): Promise<void> {
    if (NOTED.test(drawn.step)) return this.#act(drawn);
    this.#stage.failovers.disturb();
    this.#stage.disturbances++;
    try {
      await this.#act(drawn);
    } finally {
      this.#stage.disturbances--;
      this.#stage.failovers.calm();
    }
  }

  async #act(drawn: DrawnStep): Promise<void> {
    const { step } = drawn;
    if (step.startsWith('kill-') || step.startsWith('pause-')) return this.#actOnProcesses(drawn);
    if (step.startsWith('cut-')) return this.#cut(drawn);
    return this.#actOtherwise(drawn);
  }

  async #actOnProcesses({ step, random }: DrawnStep): Promise<void> {
    const stage = this.#stage;
    const { brokers, controllers, plan } = stage.nodes;
    switch (step) {
      case 'kill-broker':
        return kill(stage, step, pick(brokers, 1, random), random);
      case 'kill-leader':
        return kill(stage, step, [await stage.leader(random)], random);
      case 'kill-controller':
        return kill(stage, step, pick(controllers, 1, random), random);
      case 'kill-active-controller':
        return kill(stage, step, [await stage.activeController(random)], random);
      case 'kill-two-brokers':
        return kill(stage, step, pick(brokers, 2, random), random);
      case 'kill-two-controllers':
        return kill(stage, step, pick(controllers, 2, random), random);
      case 'kill-all-brokers':
        return kill(stage, step, brokers, random);
      case 'kill-all':
        return kill(stage, step, plan.nodes, random);
      case 'pause-broker':
        return suspend(stage, step, pick(brokers, 1, random), random);
      case 'pause-leader':
        return suspend(stage, step, [await stage.leader(random)], random);
      case 'pause-active-controller':
        return suspend(stage, step, [await stage.activeController(random)], random);
      case 'pause-two':
        return suspend(stage, step, pick(plan.nodes, 2, random), random);
      case 'pause-and-kill': {
        const [one, other] = pick(plan.nodes, 2, random);
        if (one === undefined || other === undefined) return;
        const pausing = suspend(stage, step, [one], random);
        await Promise.all([pausing, kill(stage, step, [other], random)]);
        return;
      }
    }
  }

  async #cut({ step, random }: DrawnStep): Promise<void> {
    const stage = this.#stage;
    const ids = (nodes: typeof stage.nodes.brokers) => nodes.map(({ id }) => id);
    switch (step) {
      case 'cut-node':
        return cut(stage, step, isolation(stage, stage.pickNode(random), random), random);
      case 'cut-one-way':
        return cut(stage, step, oneWay(stage, stage.pickNode(random), random), random);
      case 'cut-halves':
        return cut(stage, step, halves(stage, random), random);
      case 'cut-ring':
        return cut(stage, step, ring(stage, random), random);
      case 'cut-leader': {
        // Clients still reach it: it must not lie to them.
        const leader = await stage.leader(random);
        const links = linksBetween([leader.id], everybodyBut(stage, leader));
        return cut(stage, step, bothWays(links), random);
      }
      case 'cut-active-controller': {
        const active = await stage.activeController(random);
        const links = linksBetween([active.id], everybodyBut(stage, active));
        return cut(stage, step, bothWays(links), random);
      }
      case 'cut-controllers-from-brokers': {
        const links = linksBetween(ids(stage.nodes.controllers), ids(stage.nodes.brokers));
        return cut(stage, step, bothWays(links), random);
      }
      case 'cut-clients-from-leader': {
        const leader = await stage.leader(random);
        return cut(stage, step, bothWays([['client', leader.id]]), random);
      }
    }
  }

  async #actOtherwise({ step, random }: DrawnStep): Promise<void> {
    const stage = this.#stage;
    const { brokers, controllers, plan } = stage.nodes;
    switch (step) {
      case 'crash-loop':
        return crashLoop(stage, step, stage.pickNode(random), random);
      case 'crash-at-point':
        return crashAtPoint(stage, step, stage.pickNode(random), random);
      case 'rolling-restart':
        for (const node of plan.nodes) await restart(stage, step, node);
        return;
      case 'stop-broker':
        return restart(stage, step, stage.pickNode(random, brokers));
      case 'create-topic':
        return createTopic(stage);
      case 'delay-links':
        return hold(stage, step, someLinks(stage, random), () => drawDelay(random), random);
      case 'throttle-links':
        return hold(stage, step, someLinks(stage, random), () => drawThrottle(random), random);
      case 'dribble-links':
        return hold(stage, step, someLinks(stage, random), () => ({ kind: 'dribble' }), random);
      case 'black-hole': {
        const node = stage.pickNode(random);
        const links = linksBetween([...everybodyBut(stage, node), 'client'], [node.id]);
        return hold(stage, step, links, () => ({ kind: 'stall' }), random);
      }
      case 'half-open':
        return halfOpen(stage, step, stage.pickNode(random), random);
      case 'reset-mid-frame':
        return reset(stage, step, stage.pickNode(random), random);
      case 'flip-payload':
        return flipBits(stage, step, 'payload', random);
      case 'flip-anywhere':
        return flipBits(stage, step, 'anywhere', random);
      case 'lose-unsynced-one':
        return losePower(stage, step, [stage.pickNode(random)], random);
      case 'lose-unsynced-minority': {
        const victims = [...pick(controllers, 1, random), ...pick(brokers, 1, random)];
        return losePower(stage, step, victims, random);
      }
      case 'lose-unsynced-all':
        return losePower(stage, step, plan.nodes, random);
      case 'write-error':
        return breakDisk(stage, step, stage.pickNode(random), random, WRITE_ERROR);
      case 'sync-error':
        return breakDisk(stage, step, stage.pickNode(random), random, SYNC_ERROR);
      case 'read-error':
        return breakDisk(stage, step, await stage.leader(random), random, READ_ERROR);
      case 'disk-full':
        return breakDisk(stage, step, stage.pickNode(random), random, FULL);
      case 'slow-sync':
        return slowSync(stage, step, stage.pickNode(random), random);
      case 'clock-jump':
        return jumpClock(stage, step, stage.pickNode(random), random);
    }
  }
}
