/**
 * What the receiver of a stream has taken and not yet told its sender: told in one message once it is worth one, as
 * WINDOW_UPDATE frames are. Far below the credit of a stream, so no sender waits for what is held back here.
 * Source: RFC 9113 §5.2.
 */
import { CREDIT_UPDATE_BYTES } from './limits.ts';
import type { Pipe } from './pipe.ts';

export class Credits {
  readonly #back: Pipe;
  #untold: (() => void)[] = [];
  #untoldBytes = 0;

  /** `back`: to the sender. */
  constructor(back: Pipe) {
    this.#back = back;
  }

  /** `taken` runs at the sender's, perhaps only with later ones. */
  take(sizeBytes: number, taken: () => void): void {
    this.#untold.push(taken);
    this.#untoldBytes += sizeBytes;
    if (this.#untoldBytes < CREDIT_UPDATE_BYTES) return;
    const told = this.#untold;
    this.#untold = [];
    this.#untoldBytes = 0;
    this.#back.push(() => {
      for (const one of told) one();
    });
  }
}
