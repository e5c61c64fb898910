/** One machine of a simulated cluster: a disk that stays, and the lives of the node that runs on it. */
import type { FatalReason } from '../../../env/index.ts';
import type { MemoryNetwork } from '../../../rpc/memory/index.ts';
import { type ServerNode, startNode } from '../../../server/index.ts';
import type { TestEnvironment } from '../../twins/index.ts';
import type { MachinePlan } from './plan.ts';

export interface MachineEnd {
  readonly reason: FatalReason | 'could not start';
  readonly error: unknown;
}

export class Machine {
  readonly plan: MachinePlan;
  readonly #network: MemoryNetwork;
  /** Told when a node ends by itself. The machine is down then. */
  readonly #onEnd: (machine: Machine, end: MachineEnd) => void;
  environment: TestEnvironment;
  /** Running, and as far as it knows started. */
  node: ServerNode | undefined;
  #life = 0;
  isUp = false;

  constructor(
    plan: MachinePlan,
    environment: TestEnvironment,
    network: MemoryNetwork,
    onEnd: (machine: Machine, end: MachineEnd) => void,
  ) {
    this.plan = plan;
    this.environment = environment;
    this.#network = network;
    this.#onEnd = onEnd;
  }

  get name(): string {
    return this.plan.name;
  }

  /** Starts the node; nothing when it runs. */
  start(): void {
    if (this.isUp) return;
    this.isUp = true;
    const life = ++this.#life;
    const { environment } = this;
    const transport = this.#network.transport(this.name);
    startNode({ config: this.plan.config, environment, transport }).then(
      (node) => {
        if (life === this.#life) this.node = node;
      },
      (error: unknown) => this.end({ reason: 'could not start', error }, life),
    );
  }

  /** kill -9: the disk stays as the system has it. With `power` it loses what was not synced. */
  kill(power: boolean): void {
    this.#life++;
    this.isUp = false;
    this.node = undefined;
    this.#network.kill(this.name);
    this.environment = power ? this.environment.crash() : this.environment.kill();
  }

  /** The node has ended itself. */
  end(end: MachineEnd, life = this.#life): void {
    if (life !== this.#life || !this.isUp) return;
    this.kill(false);
    this.#onEnd(this, end);
  }
}
