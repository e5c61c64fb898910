/**
 * The receiving half of a stream: hands decoded messages to a consumer and stops reading while it has no
 * room, so that HTTP/2's flow control stops the sender. The consumer's `end` is called exactly once.
 */
import type { Sink } from '../api/index.ts';
import { READ_AHEAD_MESSAGES } from './limits.ts';

/** What is read: grpc-js' streams are such. */
export interface Source {
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

export class Inbound<T> {
  readonly #source: Source;
  readonly #decode: (bytes: Buffer) => T;
  readonly #consumer: Sink<T>;
  #ended = false;

  /** `onFault`: the peer's bytes are no message, or the consumer threw. The stream must be torn down. */
  constructor(
    source: Source,
    decode: (bytes: Buffer) => T,
    consumer: Sink<T>,
    onFault: (error: unknown) => void,
  ) {
    this.#source = source;
    this.#decode = decode;
    this.#consumer = consumer;
    limitReadAhead(source);
    source.on('data', (bytes) => {
      if (this.#ended) return;
      try {
        this.#deliver(this.#decode(bytes));
      } catch (error) {
        onFault(error);
      }
    });
    // A stream that the peer reset also says 'end' first; what really happened is known a turn later.
    source.on('end', () => setImmediate(() => this.end()));
  }

  #deliver(message: T): void {
    if (this.#consumer.send(message)) return;
    this.#source.pause();
    const resume = (): unknown => this.#source.resume();
    // A consumer that has ended has no room ever again: what still comes is read and dropped.
    this.#consumer.drained().then(resume, resume);
  }

  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#consumer.end(error);
    this.#source.resume();
  }
}

/**
 * grpc-js reads 16 messages ahead of a consumer that has paused, whatever their size: with many streams far
 * more than a node has set aside for requests. Its streams take no option for it; Node's own field has had
 * this place since 0.10.
 */
function limitReadAhead(source: Source): void {
  const state: unknown = Reflect.get(source, '_readableState');
  if (typeof state === 'object' && state !== null && 'highWaterMark' in state)
    state.highWaterMark = READ_AHEAD_MESSAGES;
}
