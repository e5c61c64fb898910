/** One simulated machine: a disk that outlives its processes, a clock of its own, and at most one process. */
import type { NodeId, Random, Uuid } from '../../../base/index.ts';
import type { Logger } from '../../../env/index.ts';
import type { VoterKey } from '../../../raft/index.ts';
import { type QuorumCalls, QuorumDriver, type QuorumListener } from '../../../raft/node/index.ts';
import { type Scheduler, VirtualClock, VirtualTimers } from '../../twins/index.ts';
import type { SimDisk } from './disk.ts';
import type { Host } from './network.ts';
import type { SimOptions } from './options.ts';

export interface Process {
  readonly driver: QuorumDriver;
  readonly timers: VirtualTimers;
  readonly incarnation: number;
  isPaused: boolean;
  readonly late: (() => void)[];
}

export interface NodeHooks {
  readonly listener: (node: SimNode, incarnation: number) => QuorumListener;
  readonly onFatal: (node: SimNode, reason: string, error: unknown) => void;
  readonly logger: (node: SimNode) => Logger;
}

export class SimNode implements Host {
  readonly id: NodeId;
  readonly seeksVote: boolean;
  readonly disk: SimDisk;
  key: VoterKey;
  process: Process | undefined;
  incarnation = 0;
  /** Monotonic milliseconds per virtual one. */
  readonly rate: number;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #options: SimOptions;
  readonly #calls: QuorumCalls;
  readonly #hooks: NodeHooks;

  constructor(
    identity: { readonly id: NodeId; readonly seeksVote: boolean; readonly directoryId: Uuid },
    world: {
      readonly scheduler: Scheduler;
      readonly random: Random;
      readonly options: SimOptions;
      readonly disk: SimDisk;
      readonly calls: QuorumCalls;
      readonly hooks: NodeHooks;
    },
  ) {
    this.id = identity.id;
    this.seeksVote = identity.seeksVote;
    this.key = { id: identity.id, directoryId: identity.directoryId };
    this.disk = world.disk;
    this.rate = 0.97 + world.random.float() * 0.06;
    this.#scheduler = world.scheduler;
    this.#random = world.random;
    this.#options = world.options;
    this.#calls = world.calls;
    this.#hooks = world.hooks;
  }

  get isUp(): boolean {
    return this.process !== undefined;
  }

  run(task: () => void): void {
    const { process } = this;
    if (process === undefined) return;
    if (process.isPaused) process.late.push(task);
    else task();
  }

  start(): void {
    if (this.process !== undefined) return;
    const { timeouts, voters, tailEntries } = this.#options;
    const incarnation = ++this.incarnation;
    const clock = new VirtualClock(this.#scheduler, { rate: this.rate });
    const timers = new VirtualTimers(this.#scheduler, { rate: this.rate });
    const configured = Array.from({ length: voters }, (_, index) => index + 1);
    const endpoints = new Map(configured.map((id) => [id, { host: `node${id}`, port: 9000 + id }]));
    const driver = new QuorumDriver(
      {
        self: this.key,
        clusterId: `cluster-of-${this.id}`,
        seeksVote: this.seeksVote,
        configured,
        timeouts,
        hardState: this.disk.storedState,
        log: this.disk.openLog(),
        endpoints,
        tailLimits: { bytes: 1_000_000, entries: tailEntries },
      },
      {
        storage: {
          saveHardState: (state, done) =>
            this.disk.saveHardState(state, (error) => this.run(() => done(error))),
          append: (entries, options, done) =>
            this.disk.append(entries, options, (error) => this.run(() => done(error))),
          read: (from, to, maxBytes, done) =>
            this.disk.read(from, to, maxBytes, (result) => this.run(() => done(result))),
        },
        calls: this.#calls,
        nowMs: () => clock.monotonicMs(),
        timers,
        random: this.#random,
        logger: this.#hooks.logger(this),
        exit: { fatal: (reason, error) => this.#hooks.onFatal(this, reason, error) },
      },
    );
    this.process = { driver, timers, incarnation, isPaused: false, late: [] };
    driver.subscribe(this.#hooks.listener(this, incarnation));
    driver.start();
  }

  /** The process is gone at once. Gives the entries its disk lost. */
  kill(power: boolean): number {
    const { process } = this;
    this.process = undefined;
    process?.timers.stop();
    process?.driver.close();
    return this.disk.crash(power);
  }

  pause(): void {
    if (this.process === undefined || this.process.isPaused) return;
    this.process.isPaused = true;
    this.process.timers.pause();
  }

  resume(): void {
    const { process } = this;
    if (process === undefined || !process.isPaused) return;
    process.isPaused = false;
    process.timers.resume();
    for (const task of process.late.splice(0)) if (this.process === process) this.run(task);
  }
}
