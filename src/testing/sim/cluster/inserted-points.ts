/**
 * The port to whoever inserts failure points into the product's modules while these are loaded, as `npm run sim` does. The
 * product itself has none: where nobody inserts any, there are none.
 */

/** A point in a driver at which a machine can be killed. */
export interface InsertedPoint {
  readonly name: string;
  /** `chaos`: no simulation gets there. */
  readonly reach?: 'simulation' | 'chaos';
}

export interface InsertedPoints {
  readonly points: readonly InsertedPoint[];
  /** Called whenever a node gets to the point, in the midst of its code; `of` is something of that node. */
  pass?: ((name: string, of: unknown) => void) | undefined;
  /** `child` is of the same node as `of`. */
  adopt?: ((child: object, of: unknown) => void) | undefined;
}

/** The name of the global that inserted code knows. */
const GLOBAL = 'quorateFailurePoints';

/** Undefined: none are inserted in this process. */
export function insertedPoints(): InsertedPoints | undefined {
  return Reflect.get(globalThis, GLOBAL);
}

/** Names of those that a simulation can get to. */
export function simulatedPoints(): string[] {
  const points = insertedPoints()?.points ?? [];
  return points.filter(({ reach }) => reach !== 'chaos').map(({ name }) => name);
}
