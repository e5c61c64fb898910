/** What was acknowledged in topics that may lose it with the power, and is not among what is read finally. */
import type { CheckOptions, HistoryEvent } from '../../src/testing/index.ts';

export class UnsyncedLosses {
  readonly #topics: CheckOptions['topics'];
  readonly #missing = new Set<string>();
  #isFinal = false;
  acknowledged = 0;

  constructor({ topics }: CheckOptions) {
    this.#topics = topics;
  }

  handle({ type, operation }: HistoryEvent): void {
    if (operation.f === 'mark') this.#isFinal ||= operation.mark === 'final';
    else if (type !== 'ok') return;
    else if (operation.f === 'send' && this.#mayLose(operation.topic)) {
      this.acknowledged += operation.values.length;
      for (const value of operation.values) this.#missing.add(value);
    } else if (operation.f === 'poll' && this.#isFinal)
      for (const { topic, records } of operation.polled ?? [])
        if (this.#mayLose(topic)) for (const [, value] of records) this.#missing.delete(value);
  }

  #mayLose(topic: string): boolean {
    return this.#topics?.[topic]?.losesUnsynced === true;
  }

  /** Once all is read finally. */
  get lost(): number {
    return this.#missing.size;
  }
}
