/**
 * Says why a command is still waiting, at most once in a while: the client tries again by itself, and tells its logger only.
 * A problem that is over within the first pause is never mentioned.
 */
import type { LogFields, Logger } from '../env/index.ts';
import { printNote } from './output.ts';

const PAUSE_MS = 3000;

export class Patience implements Logger {
  readonly #say: (text: string) => void;
  #quietUntilMs: number | undefined;
  #lastMs = 0;

  constructor(say: (text: string) => void = printNote) {
    this.#say = say;
  }

  debug(fields: LogFields): void {
    this.#notice(fields);
  }

  info(): void {}

  warn(fields: LogFields): void {
    this.#notice(fields);
  }

  /** Nothing that waiting mends. */
  error(fields: LogFields, message: string): void {
    this.#say(`warning: ${message}${wordsOf(fields)}`);
  }

  child(): Logger {
    return this;
  }

  /** Troubles further apart than two pauses are not one trouble. */
  #notice(fields: LogFields): void {
    if (typeof fields.error !== 'string') return;
    const nowMs = performance.now();
    const goesOn = this.#quietUntilMs !== undefined && nowMs - this.#lastMs < 2 * PAUSE_MS;
    this.#lastMs = nowMs;
    if (!goesOn) this.#quietUntilMs = nowMs + PAUSE_MS;
    else if (nowMs >= (this.#quietUntilMs ?? 0)) {
      this.#quietUntilMs = nowMs + PAUSE_MS;
      this.#say(`still trying${wordsOf(fields)}`);
    }
  }
}

function wordsOf({ topic, partition, error }: LogFields): string {
  const where = topic === undefined ? '' : ` ${String(topic)}-${String(partition)}`;
  return `${where}${error === undefined ? '' : `: ${String(error)}`}`;
}
