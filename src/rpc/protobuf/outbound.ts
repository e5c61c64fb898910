/**
 * The sending half of a stream, for every transport: encodes, counts the bytes under way, says when there
 * is room again.
 *
 * `buffered` are bytes that the transport has not taken yet (flow control of the peer included). Above the
 * credit `send` says false; a sender that goes on all the same is cut off at the bound, so a slow peer
 * cannot fill our memory.
 */
import { ApiError } from '../../base/index.ts';
import type { Sink } from '../api/index.ts';

export interface StreamLimits {
  /** Bytes under way before `send` says false. */
  readonly streamCreditBytes: number;
  /** Bytes under way before a sender that does not listen has its stream torn down. */
  readonly streamBufferBytesMax: number;
}

/** What the sink drives. */
export interface Wire<Encoded> {
  /** Hands over one message; `taken` is called when it has left. */
  write(encoded: Encoded, taken: () => void): void;
  /** Nothing more is coming. */
  finish(): void;
  /** Tears the stream down, both directions. */
  abort(error: Error): void;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

export class OutboundSink<T, Encoded extends { readonly length: number } = Buffer> implements Sink<T> {
  readonly #encode: (message: T) => Encoded;
  readonly #wire: Wire<Encoded>;
  readonly #limits: StreamLimits;
  #buffered = 0;
  #ended = false;
  #endedWith: Error | undefined;
  #waiters: Waiter[] = [];

  constructor(encode: (message: T) => Encoded, wire: Wire<Encoded>, limits: StreamLimits) {
    this.#encode = encode;
    this.#wire = wire;
    this.#limits = limits;
  }

  send(message: T): boolean {
    if (this.#ended) return false;
    let encoded: Encoded;
    try {
      encoded = this.#encode(message);
    } catch (error) {
      this.end(error as Error);
      return false;
    }
    this.#buffered += encoded.length;
    if (this.#buffered > this.#limits.streamBufferBytesMax) {
      this.end(
        new ApiError('RESOURCE_EXHAUSTED', `more than ${this.#limits.streamBufferBytesMax} bytes unsent`),
      );
      return false;
    }
    const sizeBytes = encoded.length;
    this.#wire.write(encoded, () => this.#taken(sizeBytes));
    return this.#buffered <= this.#limits.streamCreditBytes;
  }

  #taken(sizeBytes: number): void {
    this.#buffered -= sizeBytes;
    if (this.#waiters.length > 0 && this.#hasRoom())
      for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  #hasRoom(): boolean {
    return this.#buffered <= this.#limits.streamCreditBytes;
  }

  drained(): Promise<void> {
    if (this.#ended)
      return Promise.reject(this.#endedWith ?? new ApiError('NETWORK_EXCEPTION', 'the stream has ended'));
    if (this.#hasRoom()) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  end(error?: Error): void {
    if (this.#ended) return;
    this.close(error);
    if (error === undefined) this.#wire.finish();
    else this.#wire.abort(error);
  }

  /** The stream is over (for whatever reason): nothing is sent any more, whoever waits for room is told. */
  close(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#endedWith = error;
    for (const waiter of this.#waiters.splice(0))
      waiter.reject(error ?? new ApiError('NETWORK_EXCEPTION', 'the stream has ended'));
  }
}
