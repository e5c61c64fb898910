import type { Sink } from '../api/index.ts';
import type { Taken } from './session.ts';

/**
 * The receiving half of a stream: what the consumer has no room for waits, and so does the sender's credit.
 */
export class Inbound {
  readonly #consumer: () => Sink<unknown> | undefined;
  readonly #decode: (bytes: Buffer) => unknown;
  readonly #onFault: (error: Error) => void;
  #waiting: (() => void)[] = [];
  #paused = false;

  constructor(
    consumer: () => Sink<unknown> | undefined,
    decode: (bytes: Buffer) => unknown,
    onFault: (error: Error) => void,
  ) {
    this.#consumer = consumer;
    this.#decode = decode;
    this.#onFault = onFault;
  }

  push(bytes: Buffer, taken: Taken): void {
    this.#run(() => {
      taken?.();
      const consumer = this.#consumer();
      if (consumer === undefined) return;
      try {
        if (!consumer.send(this.#decode(bytes))) this.#pause(consumer);
      } catch (error) {
        this.#onFault(error as Error);
      }
    });
  }

  /** After everything that came before. */
  finish(end: () => void): void {
    this.#run(end);
  }

  #run(task: () => void): void {
    if (this.#paused) this.#waiting.push(task);
    else task();
  }

  #pause(consumer: Sink<unknown>): void {
    this.#paused = true;
    const resume = (): void => {
      this.#paused = false;
      while (!this.#paused) {
        const task = this.#waiting.shift();
        if (task === undefined) return;
        task();
      }
    };
    consumer.drained().then(resume, resume);
  }
}
