import type { Exit, FatalReason } from '../../env/index.ts';

export interface FatalEnd {
  readonly reason: FatalReason;
  readonly error: unknown;
}

/** Remembers that a node ended itself, and tells whoever runs it. Unlike a process, the code that called goes on. */
export class TestExit implements Exit {
  readonly ends: FatalEnd[] = [];
  readonly #onEnd: (end: FatalEnd) => void;

  constructor(onEnd: (end: FatalEnd) => void = () => {}) {
    this.#onEnd = onEnd;
  }

  fatal(reason: FatalReason, error: unknown): void {
    const end = { reason, error };
    this.ends.push(end);
    this.#onEnd(end);
  }
}
