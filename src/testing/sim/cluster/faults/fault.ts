import type { NodeId, SeededRandom } from '../../../../base/index.ts';
import type { SimWorld } from '../world.ts';
import type { FaultKind } from './kinds.ts';

/** One kind of trouble. */
export interface Fault {
  readonly kind: FaultKind;
  /** Begins it, somewhere; undefined: it found nothing to trouble. */
  begin(world: SimWorld, random: SeededRandom): Trouble | undefined;
}

/** Trouble that has begun. */
export interface Trouble {
  /** What and where, for the story of the run. */
  readonly text: string;
  /** What the history says of it beside its kind. */
  readonly record?: { readonly nodes: readonly NodeId[]; readonly lossy: boolean };
  /** How long it lasts by itself; 0: it is a moment. */
  readonly lastsMs: number;
  /** Ends it; also called early, when the run heals. Not for a moment. */
  end(): void;
}
