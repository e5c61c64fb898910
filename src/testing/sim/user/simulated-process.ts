/**
 * A process of user code in a simulation, which dies as processes do: in the midst of anything, without a word.
 *
 * Code cannot be stopped from outside; it can be left waiting. After a kill nothing that the process awaits of its client or of
 * this object ever comes, so whatever stands after that `await` never happens. Its memory goes with it: the next life
 * begins with a new call of its main function.
 */
import { ApiError, EnvironmentError, SeededRandom } from '../../../base/index.ts';
import { Client, type ClientSettings } from '../../../client/index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../twins/index.ts';
import { bootstrapOf } from '../cluster/plan.ts';
import type { SimWorld } from '../cluster/world.ts';

const NEVER = new Promise<never>(() => {});
/** Mean time until a supervisor starts a process again. */
const RESTART_MEAN_MS = 500;
/** Of one process in one run; more are a crash loop that leads nowhere. */
const LIVES_MAX = 10_000;

/** One life of a process: what its main function is given. */
export interface ProcessLife {
  readonly name: string;
  /** 1 for the first. */
  readonly number: number;
  /** A client that dies with this life. */
  client(settings?: Partial<ClientSettings>): Client;
  /** Resolves after `delayMs` of virtual time. */
  after(delayMs: number): Promise<void>;
  /**
   * A call to something outside of the process: a database, a payment service. It takes a while there, is carried out at
   * once, and takes a while back. It is carried out also when the process dies after the call; then nobody hears the answer.
   */
  call<T>(work: () => T | Promise<T>): Promise<T>;
}

export type ProcessMain = (life: ProcessLife) => Promise<void>;

export class SimulatedProcess {
  readonly name: string;
  readonly #world: SimWorld;
  readonly #main: ProcessMain;
  readonly #random: SeededRandom;
  readonly #ended = Promise.withResolvers<void>();
  #environment: TestEnvironment;
  #lives = 0;
  #isUp = false;

  /** Use `world.process`. */
  constructor(world: SimWorld, name: string, main: ProcessMain) {
    const { seed } = world.options;
    this.name = name;
    this.#world = world;
    this.#main = main;
    this.#random = new SeededRandom(seed, `process: ${name}`);
    this.#environment = createTestEnvironment({ seed, scheduler: world.scheduler, name });
    world.clientNames.push(name);
    this.start();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** How often it was started. */
  get lives(): number {
    return this.#lives;
  }

  /** Resolves when its main function has returned, which it is not started again after. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Begins another life; nothing while it lives. */
  start(): void {
    if (this.#isUp) return;
    if (this.#lives >= LIVES_MAX) {
      this.#world.fail(new Error(`process ${this.name} had ${LIVES_MAX} lives`));
      return;
    }
    this.#isUp = true;
    const number = ++this.#lives;
    this.#main(this.#life(number)).then(
      () => {
        if (!this.#isLiving(number)) return;
        this.kill();
        this.#ended.resolve();
      },
      (error: unknown) => this.#failed(number, error),
    );
  }

  /** Ends this life, in the midst of what it does. */
  kill(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#world.network.kill(this.name);
    this.#environment = this.#environment.kill();
  }

  /** Kills it now and then, as the seed draws, until `isOver`. */
  crashNowAndThen(meanMs: number, isOver: () => boolean): void {
    if (!Number.isFinite(meanMs)) return;
    this.#world.scheduler.after(this.#draw(meanMs), () => {
      if (isOver()) return;
      if (this.#isUp) this.#crash('crashed');
      this.crashNowAndThen(meanMs, isOver);
    });
  }

  /** Trouble of the cluster may end a process, as it does in life; anything else is a mistake in it. */
  #failed(number: number, error: unknown): void {
    if (!this.#isLiving(number)) return;
    if (error instanceof ApiError || error instanceof EnvironmentError) this.#crash(String(error));
    else this.#world.fail(error ?? new Error(`process ${this.name} failed without a reason`));
  }

  #crash(why: string): void {
    this.#world.note(`${this.name}: ${why}`);
    this.#world.trace.count('crashes of processes');
    this.kill();
    this.#world.scheduler.after(this.#draw(RESTART_MEAN_MS), () => this.start());
  }

  #isLiving(number: number): boolean {
    return this.#isUp && this.#lives === number;
  }

  #draw(meanMs: number): number {
    return -Math.log(1 - this.#random.float()) * meanMs;
  }

  #life(number: number): ProcessLife {
    const world = this.#world;
    const environment = this.#environment;
    const transport = world.network.transport(this.name, environment.timers);
    const alive = <T>(result: Promise<T>): Promise<T> =>
      result.then(
        (value) => (this.#isLiving(number) ? value : NEVER),
        (error: unknown) => (this.#isLiving(number) ? Promise.reject(error) : NEVER),
      );
    const trip = (): Promise<void> =>
      world.after(world.options.delayMinMs + this.#draw(world.options.delayMeanMs));
    return {
      name: this.name,
      number,
      client: (settings = {}) =>
        new Client({
          bootstrap: bootstrapOf(world.machines.map(({ plan }) => plan)),
          clientId: this.name,
          ...settings,
          transport,
          environment,
        }),
      after: (delayMs) => alive(world.after(delayMs)),
      call: (work) => (this.#isLiving(number) ? alive(trip().then(work).finally(trip)) : NEVER),
    };
  }
}
