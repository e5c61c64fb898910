/**
 * A message that is encoded where grpc-js frames it, instead of in a buffer of its own that is then copied.
 *
 * grpc-js (1.14) asks what a serializer gave for its length, allocates a frame with five bytes more, and
 * has the message copied in behind them: `length` at a client, `byteLength` at a server, `copy(frame, 5)`
 * at both. That is all of Buffer it uses, so a message can stand in for its bytes and write itself. Should
 * a later version ask for more, the transport contract fails at the first call. For 1 MiB batches this
 * saves one of two allocations and copies on each side.
 */
import type { Message } from '../protobuf/index.ts';

class Frame<T> {
  readonly length: number;
  readonly #message: Message<T>;
  readonly #value: T;

  constructor(message: Message<T>, value: T) {
    this.#message = message;
    this.#value = value;
    this.length = message.measure(value);
  }

  get byteLength(): number {
    return this.length;
  }

  copy(target: Buffer, at: number): void {
    this.#message.encodeInto(this.#value, this.length, target, at);
  }
}

/**
 * What grpc-js takes for the bytes of `value`. Throws ApiError INVALID_REQUEST when a value cannot be
 * carried.
 */
export function frame<T>(message: Message<T>, value: T): Buffer {
  return new Frame(message, value) as unknown as Buffer;
}
