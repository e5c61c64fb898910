/** Of mutants that the simulation does not kill: why not. What stands here has been thought about. */

export interface Verdict {
  /** Below the root. */
  readonly file: string;
  /** What stood there, or the beginning of it, with single spaces. */
  readonly was: string;
  readonly change: string;
  /** `equivalent`: no run differs; `speed`: what is right stays right, later or dearer. */
  readonly kind: 'equivalent' | 'speed' | 'unseen';
  readonly why: string;
}

export const VERDICTS: readonly Verdict[] = [];
