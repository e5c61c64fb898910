/**
 * A point in a driver at which a node can be killed, by name; and what of a driver belongs to which node.
 *
 * Production code knows nothing of it: the points are inserted into the text of a module while it is loaded. The fragment that
 * a place names occurs exactly once in its file; when it does not any more, a test fails until somebody has looked at what the
 * line became.
 */

/** Where in a file, at the level of statements. */
export type Place = { readonly before: string } | { readonly after: string };

export type FailurePoint = Place & {
  /** `<driver>.<step>.<when>`. */
  readonly name: string;
  /** Relative to the root of the repository. */
  readonly file: string;
  /** An expression in scope there: some port of the node, or what is {@link Kin} to one; undefined: the point is not meant. */
  readonly of: string;
  /** Who alone gets there: the simulation, or real processes (test/chaos); absent: both. */
  readonly reach?: 'simulation' | 'chaos';
};

/** Has no port of its own at hand: belongs to whom `of` belongs to. */
export type Kin = Place & {
  readonly file: string;
  readonly child: string;
  readonly of: string;
};

/** Points of one file. */
export function inFile(
  file: string,
  points: readonly (Place & Omit<FailurePoint, 'file'>)[],
): FailurePoint[] {
  return points.map((point) => ({ ...point, file }));
}
