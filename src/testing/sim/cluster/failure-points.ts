/**
 * Kills machines at points of their own code, where no event of the simulation gets to: between a sync and who is told of it, in
 * the middle of what awaits nothing. What runs on there afterwards belongs to a dead process: its disk, its timers and its
 * network ignore it.
 *
 * Whose code it is that runs is told by a port that the point names. Ports are of one life of a machine.
 */
import type { TestEnvironment } from '../../twins/index.ts';
import type { Trace } from '../trace.ts';
import { passedName } from './coverage.ts';
import { type InsertedPoints, insertedPoints, simulatedPoints } from './inserted-points.ts';
import type { Machine } from './machine.ts';

/** One that waits for a machine. */
export interface ArmedPoint {
  readonly name: string;
  /** Absent: whichever gets there. */
  readonly machine?: Machine;
  /** Passes until it strikes; 1: the next. */
  passes: number;
  readonly strike: (machine: Machine) => void;
}

interface Life {
  readonly machine: Machine;
  readonly environment: TestEnvironment;
}

export class FailurePoints {
  readonly names: readonly string[] = simulatedPoints();
  readonly #port: InsertedPoints | undefined = insertedPoints();
  readonly #lives = new WeakMap<object, Life>();
  readonly #armed = new Set<ArmedPoint>();
  readonly #passed = new Map<string, number>();

  /** From now on; of the simulations of a process the latest hears. */
  listen(): void {
    if (this.#port === undefined) return;
    this.#port.pass = (name, of) => this.pass(name, of);
    this.#port.adopt = (child, of) => this.adopt(child, of);
  }

  /** No more. `trace` counts what was passed. */
  close(trace: Trace): void {
    if (this.#port === undefined) return;
    this.#port.pass = undefined;
    this.#port.adopt = undefined;
    for (const [name, times] of this.#passed) trace.count(passedName(name), times);
  }

  /** A life of `machine` begins. */
  begin(machine: Machine): void {
    const { environment } = machine;
    const { files, stores, timers, clock, exit, logger, metrics } = environment;
    for (const port of [files, stores, timers, clock, exit, logger, metrics])
      this.#lives.set(port, { machine, environment });
  }

  adopt(child: object, of: unknown): void {
    const life = this.#lifeOf(of);
    if (life !== undefined) this.#lives.set(child, life);
  }

  /** Gives how to disarm it. */
  arm(point: ArmedPoint): () => void {
    this.#armed.add(point);
    return () => this.#armed.delete(point);
  }

  /** Strikes at most once: who is dead passes nothing. */
  pass(name: string, of: unknown): void {
    const life = this.#lifeOf(of);
    if (life === undefined || life.machine.environment !== life.environment) return;
    const { machine } = life;
    this.#passed.set(name, (this.#passed.get(name) ?? 0) + 1);
    for (const armed of this.#armed) {
      if (armed.name !== name || (armed.machine ?? machine) !== machine || --armed.passes > 0) continue;
      this.#armed.delete(armed);
      armed.strike(machine);
      return;
    }
  }

  #lifeOf(of: unknown): Life | undefined {
    return typeof of === 'object' && of !== null ? this.#lives.get(of) : undefined;
  }
}
