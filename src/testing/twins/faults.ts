import type { EnvironmentReason } from '../../base/index.ts';
import { EnvironmentError } from '../../base/index.ts';

/** One failure to come. */
export interface PlannedFault<Operation extends string> {
  readonly operation: Operation;
  /** Only where the path contains this; absent: anywhere. */
  readonly path?: string;
  readonly reason: EnvironmentReason;
  /** Matching operations that still succeed before; 0 when absent. */
  readonly after?: number;
  /** How often it fails then; once when absent. */
  readonly times?: number;
}

/** The failures a test has asked for. */
export class PlannedFaults<Operation extends string> {
  readonly #planned: { fault: PlannedFault<Operation>; toPass: number; toFail: number }[] = [];

  failNext(fault: PlannedFault<Operation>): void {
    this.#planned.push({ fault, toPass: fault.after ?? 0, toFail: fault.times ?? 1 });
  }

  /** What was asked for and has not come does not come; with a path, only what was asked for of that path. */
  clear(path?: string): void {
    for (let index = this.#planned.length - 1; index >= 0; index--)
      if (path === undefined || this.#planned[index]?.fault.path === path) this.#planned.splice(index, 1);
  }

  /** The error `operation` on `path` must end with, or undefined. */
  draw(operation: Operation, path: string): EnvironmentError | undefined {
    if (this.#planned.length === 0) return undefined;
    for (const [index, planned] of this.#planned.entries()) {
      const { fault } = planned;
      if (fault.operation !== operation || !path.includes(fault.path ?? '')) continue;
      if (planned.toPass > 0) {
        planned.toPass--;
        continue;
      }
      planned.toFail--;
      if (planned.toFail === 0) this.#planned.splice(index, 1);
      const message = `cannot ${operation} ${path}: ${fault.reason} (asked for by the test)`;
      return new EnvironmentError(fault.reason, path, message);
    }
    return undefined;
  }
}
