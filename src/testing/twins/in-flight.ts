import type { Random } from '../../base/index.ts';

/**
 * Operations that have begun and not ended. When the process dies among them, each may or may not have happened: a
 * vote can be on disk though nobody was ever told.
 */
export class InFlight {
  #effects = new Set<() => unknown>();

  begin(effect: () => unknown): void {
    this.#effects.add(effect);
  }

  end(effect: () => unknown): void {
    this.#effects.delete(effect);
  }

  /** The process dies: what has begun happens still, or never, as `random` draws (never, without one). */
  abandon(random?: Random): void {
    const effects = this.#effects;
    this.#effects = new Set();
    if (random === undefined) return;
    for (const effect of effects) {
      if (random.float() < 0.5) continue;
      try {
        effect();
      } catch {
        // Its caller is dead: nobody is left to be told.
      }
    }
  }
}
