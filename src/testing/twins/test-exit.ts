import { type Exit, type FatalReason, type Logger, logLastWords, SILENT } from '../../env/index.ts';

export interface FatalEnd {
  readonly reason: FatalReason;
  readonly error: unknown;
}

export interface TestExitOptions {
  /** Gets the last line. Absent: nobody does. */
  readonly logger?: Logger;
  /** Called once, when the node has ended and before its caller goes on. */
  readonly onEnd?: (end: FatalEnd) => void;
}

/** Remembers how a node ended itself, and tells whoever runs it. Unlike a process, the code that called goes on. */
export class TestExit implements Exit {
  /** None or one: a node ends once. */
  readonly ends: FatalEnd[] = [];
  readonly #logger: Logger;
  readonly #onEnd: (end: FatalEnd) => void;

  constructor({ logger = SILENT, onEnd = () => {} }: TestExitOptions = {}) {
    this.#logger = logger;
    this.#onEnd = onEnd;
  }

  fatal(reason: FatalReason, error: unknown): void {
    if (this.ends.length > 0) return;
    const end = { reason, error };
    this.ends.push(end);
    logLastWords(this.#logger, reason, error);
    this.#onEnd(end);
  }
}
