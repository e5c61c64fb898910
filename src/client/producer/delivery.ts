/** What one `send` waits for: its records may be spread over several batches. */
import type { Acknowledgement } from '../types.ts';

export class Delivery {
  readonly promise: Promise<Acknowledgement[]>;
  /** Settled from outside (aborted, refused): batches that still bear its records no longer concern it. */
  settled = false;
  readonly #resolve: (acknowledgements: Acknowledgement[]) => void;
  readonly #reject: (error: unknown) => void;
  #batchesLeft = 0;
  #sealed = false;
  #error: unknown;
  readonly #acknowledgements: Acknowledgement[] = [];
  readonly #onSettled: (delivery: Delivery) => void;

  constructor(onSettled: (delivery: Delivery) => void) {
    this.#onSettled = onSettled;
    const { promise, resolve, reject } = Promise.withResolvers<Acknowledgement[]>();
    this.promise = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** One more batch holds records of it. */
  expect(): void {
    this.#batchesLeft++;
  }

  /** All records are in batches now. */
  seal(): void {
    this.#sealed = true;
    this.#maybeSettle();
  }

  acknowledge(acknowledgement: Acknowledgement): void {
    this.#acknowledgements.push(acknowledgement);
    this.#batchesLeft--;
    this.#maybeSettle();
  }

  /**
   * Some records were not, or perhaps not, written. The first such error is the one told, once every batch is
   * settled.
   */
  fail(error: unknown): void {
    this.#error ??= error;
    this.#batchesLeft--;
    this.#maybeSettle();
  }

  /** A batch was split: its halves are expected in its place. */
  release(): void {
    this.#batchesLeft--;
  }

  /** Stops waiting at once. */
  abandon(reason: unknown): void {
    if (this.settled) return;
    this.settled = true;
    this.#onSettled(this);
    this.#reject(reason);
  }

  #maybeSettle(): void {
    if (this.settled || !this.#sealed || this.#batchesLeft > 0) return;
    this.settled = true;
    this.#onSettled(this);
    if (this.#error === undefined) this.#resolve(this.#acknowledgements);
    else this.#reject(this.#error);
  }
}
