/** One direction of one connection through a gate: what one socket says reaches the other, as its mode allows. */
import type { Duplex } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { Random } from '../../../src/base/index.ts';
import { flip, isHeld, type LinkMode, PASS, type Piece, shape } from './shape.ts';

/** More than this waiting, and the sender is not read any further. */
const WAITING_BYTES_MAX = 2 ** 20;

/** What a pipe needs of a socket. */
export type PipeEnd = Duplex & { resetAndDestroy(): unknown };

type Item = Piece | { readonly end: 'finish' | 'reset' };

export class Pipe {
  readonly #from: PipeEnd;
  readonly #to: PipeEnd;
  readonly #random: Random;
  readonly #waiting: Item[] = [];
  #waitingBytes = 0;
  #lastDueMs = 0;
  #mode: LinkMode = PASS;
  #timer: NodeJS.Timeout | undefined;
  #isBlocked = false;
  #flip: 'payload' | 'anywhere' | undefined;
  #onFlip = (): void => {};
  #resetAfterBytes: number | undefined;
  /** Bytes that go nowhere, for ever. */
  #isSink = false;

  constructor(from: PipeEnd, to: PipeEnd, random: Random) {
    this.#from = from;
    this.#to = to;
    this.#random = random;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.once('end', () => this.#push({ end: 'finish' }));
    from.once('error', () => this.#push({ end: 'reset' }));
    to.on('drain', () => {
      this.#isBlocked = false;
      this.#pump();
    });
    to.once('close', () => this.#close());
  }

  /** Holds for what waits as well: a link that is whole again still owing for its slow time would be slow in secret. */
  set mode(mode: LinkMode) {
    if (!isDeepStrictEqual(mode, this.#mode)) {
      this.#mode = mode;
      this.#reshape();
    }
    this.#pump();
  }

  /** The next fitting piece gets one bit flipped. */
  flipNext(where: 'payload' | 'anywhere', onFlip: () => void): void {
    this.#flip = where;
    this.#onFlip = onFlip;
  }

  /** Both ends of the connection get a reset in the middle of what is said, after `bytes` more. */
  resetAfter(bytes: number): void {
    this.#resetAfterBytes = bytes;
  }

  /** What has not happened yet does not happen any more. */
  disarm(): void {
    this.#flip = undefined;
    this.#resetAfterBytes = undefined;
  }

  swallow(): void {
    this.#isSink = true;
  }

  #take(bytes: Buffer): void {
    if (this.#isSink) return;
    let said = bytes;
    if (this.#flip !== undefined) {
      const flipped = flip(bytes, this.#flip, this.#random);
      if (flipped !== undefined) {
        said = flipped;
        this.#flip = undefined;
        this.#onFlip();
      }
    }
    const cut = this.#resetAfterBytes;
    if (cut !== undefined) {
      this.#resetAfterBytes = Math.max(0, cut - said.length);
      if (cut <= said.length) {
        if (cut > 0) this.#push({ bytes: said.subarray(0, cut), dueMs: performance.now() });
        this.#push({ end: 'reset' });
        return;
      }
    }
    for (const piece of this.#shape(said)) this.#push(piece);
    if (this.#waitingBytes > WAITING_BYTES_MAX) this.#from.pause();
  }

  #reshape(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lastDueMs = 0;
    for (const item of this.#waiting.splice(0))
      if ('bytes' in item) this.#waiting.push(...this.#shape(item.bytes));
      else this.#waiting.push(item);
  }

  #shape(bytes: Buffer): Piece[] {
    const pieces = shape(bytes, this.#mode, performance.now(), this.#lastDueMs, this.#random);
    this.#lastDueMs = pieces.at(-1)?.dueMs ?? this.#lastDueMs;
    return pieces;
  }

  #push(item: Item): void {
    this.#waiting.push(item);
    if ('bytes' in item) this.#waitingBytes += item.bytes.length;
    this.#pump();
  }

  #pump(): void {
    if (this.#timer !== undefined) return;
    while (!this.#isBlocked && !isHeld(this.#mode)) {
      const item = this.#waiting[0];
      if (item === undefined) break;
      if ('end' in item) {
        this.#waiting.shift();
        this.#end(item.end);
        return;
      }
      const waitMs = item.dueMs - performance.now();
      if (waitMs >= 1) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#pump();
        }, waitMs);
        return;
      }
      this.#waiting.shift();
      this.#waitingBytes -= item.bytes.length;
      if (!this.#to.destroyed) this.#isBlocked = !this.#to.write(item.bytes);
    }
    if (this.#waitingBytes <= WAITING_BYTES_MAX) this.#from.resume();
  }

  #end(how: 'finish' | 'reset'): void {
    if (how === 'finish') {
      this.#to.end();
      return;
    }
    this.#to.resetAndDestroy();
    this.#from.resetAndDestroy();
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }
}
