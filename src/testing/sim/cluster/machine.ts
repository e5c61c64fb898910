/** One machine of a simulated cluster: a disk that stays, clocks that may be wrong, and the lives of the node on it. */
import { EnvironmentError } from '../../../base/index.ts';
import type { FatalReason } from '../../../env/index.ts';
import type { MemoryNetwork } from '../../../rpc/memory/index.ts';
import { type ServerNode, startNode } from '../../../server/index.ts';
import type { TestEnvironment, VirtualTimers } from '../../twins/index.ts';
import type { MachinePlan } from './plan.ts';

/** How a node ended without being told to. */
export interface MachineEnd {
  readonly reason: FatalReason | 'could not start';
  readonly error: unknown;
}

export interface MachineOptions {
  readonly plan: MachinePlan;
  readonly environment: TestEnvironment;
  /** By which its disk works. */
  readonly disk: VirtualTimers;
  readonly network: MemoryNetwork;
  /** Before anything of it runs. */
  readonly onLifeBegins: (machine: Machine) => void;
  /** Before its disk forgets what was not synced. */
  readonly onPowerLoss: (machine: Machine) => void;
  /** Whatever its end was. */
  readonly onLifeOver: (life: TestEnvironment) => void;
  /** It has stopped in order, and is about to be down. */
  readonly onStopped: (machine: Machine) => void;
  /** The machine is down then. */
  readonly onEnd: (machine: Machine, end: MachineEnd) => void;
}

export class Machine {
  readonly plan: MachinePlan;
  readonly #options: MachineOptions;
  environment: TestEnvironment;
  /** Running, and as far as it knows started. */
  node: ServerNode | undefined;
  isUp = false;
  isPaused = false;
  /** When it was last given an empty disk, in virtual time. */
  newDiskMs = Number.NEGATIVE_INFINITY;
  /** By `<topic>-<partition>`: the data directory that has its log, as far as was seen. */
  readonly places = new Map<string, string>();
  /** Times that it lost power. */
  powerLosses = 0;
  #skewMs = 0;
  #rate = 1;
  #life = 0;

  constructor(options: MachineOptions) {
    this.plan = options.plan;
    this.environment = options.environment;
    this.#options = options;
  }

  get name(): string {
    return this.plan.name;
  }

  /** Its disk. */
  get files(): TestEnvironment['files'] {
    return this.environment.files;
  }

  get stores(): TestEnvironment['stores'] {
    return this.environment.stores;
  }

  get directories(): readonly string[] {
    return this.plan.config.logDirectories;
  }

  /** Some of its logs are offline since their directory failed; a start may bring them back. */
  get hasFailedDirectory(): boolean {
    for (const { log } of this.node?.broker?.replicas() ?? [])
      if (log.failure instanceof EnvironmentError) return true;
    return false;
  }

  /** As a broker. */
  get isServing(): boolean {
    return this.node?.broker?.status().phase === 'running';
  }

  /** Milliseconds that its date is ahead of the true one. */
  get skewMs(): number {
    return this.#skewMs;
  }

  set skewMs(skewMs: number) {
    this.#skewMs = skewMs;
    this.environment.clock.skewMs = skewMs;
  }

  /** How fast its clocks run. */
  set rate(rate: number) {
    this.#rate = rate;
    this.environment.clock.rate = rate;
    this.environment.timers.rate = rate;
  }

  /** Starts the node; nothing when it runs. */
  start(): void {
    if (this.isUp) return;
    this.isUp = true;
    const life = ++this.#life;
    const { environment, plan } = this;
    environment.clock.skewMs = this.#skewMs;
    this.rate = this.#rate;
    this.#options.onLifeBegins(this);
    const transport = this.#options.network.transport(this.name, environment.timers);
    startNode({ config: plan.config, environment, transport }).then(
      (node) => {
        if (life === this.#life) this.node = node;
      },
      (error: unknown) => this.end({ reason: 'could not start', error }, life),
    );
  }

  /** kill -9: the disk stays as the system has it. With `power` it loses what was not synced. */
  kill(power: boolean): void {
    this.resume();
    this.#life++;
    this.isUp = false;
    this.node = undefined;
    this.#options.network.kill(this.name);
    this.#options.onLifeOver(this.environment);
    if (power) {
      this.powerLosses++;
      this.#options.onPowerLoss(this);
    }
    this.environment = power ? this.environment.crash() : this.environment.kill();
  }

  /** Stops in order, and is down then. */
  async stop(): Promise<void> {
    const life = this.#life;
    // A stop that fails, its disk being broken say, leaves what a kill leaves.
    const isStopped = await this.node?.stop({ controlled: true }).then(
      () => true,
      () => false,
    );
    if (life !== this.#life) return;
    if (isStopped === true) this.#options.onStopped(this);
    this.kill(false);
  }

  /** SIGSTOP: time passes, and it does not notice. */
  pause(): void {
    if (!this.isUp) return;
    this.isPaused = true;
    this.environment.timers.pause();
    this.#options.disk.pause();
    this.#options.network.pause(this.name);
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.#options.network.resume(this.name);
    this.#options.disk.resume();
    this.environment.timers.resume();
  }

  /** Its disk finishes nothing until it is resumed. */
  stallDisk(): void {
    this.#options.disk.pause();
  }

  resumeDisk(): void {
    this.#options.disk.resume();
  }

  /** The node has ended itself. */
  end(end: MachineEnd, life = this.#life): void {
    if (life !== this.#life || !this.isUp) return;
    this.kill(false);
    this.#options.onEnd(this, end);
  }
}
