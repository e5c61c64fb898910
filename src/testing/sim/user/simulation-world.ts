/** The world that user code sees in a simulation. */
import { SeededRandom } from '../../../base/index.ts';
import type { Client, ClientSettings } from '../../../client/index.ts';
import type { HistoryRecorder } from '../../checkers/index.ts';
import type { Nemesis } from '../cluster/nemesis.ts';
import { isWhole } from '../cluster/recovery.ts';
import type { SimWorld } from '../cluster/world.ts';
import { CRASH_MEAN_MS_DEFAULT, type SimulateOptions } from './options.ts';
import { type ProcessMain, SimulatedProcess } from './simulated-process.ts';

/** Virtual time between two looks at a condition. */
const POLL_MS = 10;
const UNTIL_MS_DEFAULT = 60_000;

export class SimulationWorld {
  readonly seed: number;
  /** Chance that the seed draws. */
  readonly random: SeededRandom;
  /** Names of the topics that were made. */
  readonly topics: readonly string[];
  readonly #world: SimWorld;
  readonly #nemesis: Nemesis;
  readonly #crashMeanMs: number;
  readonly #processes = new Map<string, SimulatedProcess>();
  #healing: Promise<void> | undefined;

  /** Use `simulate`. */
  constructor(world: SimWorld, nemesis: Nemesis, { crashMeanMs = CRASH_MEAN_MS_DEFAULT }: SimulateOptions) {
    this.seed = world.options.seed;
    this.random = new SeededRandom(this.seed, 'user');
    this.topics = world.options.topics.map(({ name }) => name);
    this.#world = world;
    this.#nemesis = nemesis;
    this.#crashMeanMs = crashMeanMs;
  }

  /** Virtual milliseconds since the start. */
  get nowMs(): number {
    return this.#world.scheduler.nowMs;
  }

  /** A history of the run. What is recorded here is judged by `checkHistory` at the end. */
  get recorder(): HistoryRecorder {
    return this.#world.recorder;
  }

  /** A client on a machine of its own, which faults of the network may meet, and which does not crash. */
  client(name: string, settings: Partial<ClientSettings> = {}): Client {
    return this.#world.client(name, settings);
  }

  /**
   * A process on a machine of its own, running `main` at once, which crashes now and then while faults last. It is started
   * again after that, and after ending with an error of the cluster; any other error fails the run.
   */
  process(
    name: string,
    main: ProcessMain,
    options: { readonly crashMeanMs?: number } = {},
  ): SimulatedProcess {
    if (this.#processes.has(name)) throw new RangeError(`there is a process ${name} already`);
    const process = new SimulatedProcess(this.#world, name, main);
    this.#processes.set(name, process);
    process.crashNowAndThen(options.crashMeanMs ?? this.#crashMeanMs, () => this.#healing !== undefined);
    return process;
  }

  /** Resolves after `delayMs` of virtual time. */
  after(delayMs: number): Promise<void> {
    return this.#world.after(delayMs);
  }

  /** Resolves once `holds`; rejects when it does not within `limitMs` of virtual time (default 60000). */
  async until(what: string, holds: () => boolean, limitMs = UNTIL_MS_DEFAULT): Promise<void> {
    const deadlineMs = this.nowMs + limitMs;
    while (!holds()) {
      if (this.nowMs > deadlineMs) throw new Error(`not within ${limitMs} virtual ms: ${what}`);
      await this.after(POLL_MS);
    }
  }

  /** Writes a line into the story of the run, which a failure shows the end of. */
  note(text: string): void {
    this.#world.note(text);
  }

  /** Ends all faults and crashes, starts what is down, and resolves when every replica of every topic is in sync. */
  heal(): Promise<void> {
    this.#healing ??= this.#heal();
    return this.#healing;
  }

  async #heal(): Promise<void> {
    this.#nemesis.heal();
    for (const machine of this.#world.machines) machine.start();
    await this.until('the cluster is whole', () => isWhole(this.#world));
  }
}
