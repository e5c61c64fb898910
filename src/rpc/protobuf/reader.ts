/**
 * Reads protobuf's wire format from one received message.
 *
 * Everything is checked against what is there before it is believed: lengths against the bytes that are
 * left, integers against 2^53 - 1, the number of list elements against a budget, so that what a message
 * makes us allocate stays in proportion to what was received. Byte fields are views, never copies. A
 * message that breaks a rule is refused with INVALID_REQUEST. Source:
 * protobuf.dev/programming-guides/encoding.
 */
import { ApiError } from '../../base/index.ts';

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

export type WireType = typeof WIRE_VARINT | typeof WIRE_BYTES;

const TWO_32 = 2 ** 32;
const VARINT_BYTES_MAX = 10;

export function malformed(what: string): ApiError {
  return new ApiError('INVALID_REQUEST', `malformed message: ${what}`);
}

export class Reader {
  readonly bytes: Buffer;
  position: number;
  /** Of the message that is being read: exclusive. */
  end: number;
  #elementsLeft: number;

  /** `elementsMax`: list elements in the whole message, beyond which it is refused. */
  constructor(bytes: Buffer, elementsMax: number) {
    this.bytes = bytes;
    this.position = 0;
    this.end = bytes.length;
    this.#elementsLeft = elementsMax;
  }

  countElement(): void {
    if (this.#elementsLeft-- <= 0) throw malformed('too many list elements');
  }

  /** A varint's low 32 bits, signed. */
  int32(): number {
    const first = this.bytes[this.position] as number;
    if (this.position < this.end && first < 0x80) {
      this.position++;
      return first;
    }
    return this.#varint(true);
  }

  /** A varint as a signed number; refused beyond 2^53 - 1 either way. */
  int64(): number {
    const first = this.bytes[this.position] as number;
    if (this.position < this.end && first < 0x80) {
      this.position++;
      return first;
    }
    return this.#varint(false);
  }

  #varint(truncate: boolean): number {
    let low = 0;
    let high = 0;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      if (this.position >= this.end) throw malformed('an integer ends early');
      const byte = this.bytes[this.position++] as number;
      if (i < 4) low |= (byte & 0x7f) << (7 * i);
      else if (i === 4) {
        low |= (byte & 0x7f) << 28;
        high = (byte & 0x7f) >> 4;
      } else high |= (byte & 0x7f) << (7 * i - 32);
      if (byte < 0x80) return truncate ? low | 0 : safeInteger(low >>> 0, high | 0);
    }
    throw malformed('an integer is longer than ten bytes');
  }

  /** The length of what follows, checked against what is left. */
  length(): number {
    const length = this.int64();
    if (length < 0 || length > this.end - this.position)
      throw malformed(`a length of ${length} where ${this.end - this.position} bytes are left`);
    return length;
  }

  view(): Buffer {
    const length = this.length();
    const from = this.position;
    this.position += length;
    return this.bytes.subarray(from, this.position);
  }

  text(): string {
    const length = this.length();
    const from = this.position;
    this.position += length;
    return length === 0 ? '' : this.bytes.toString('utf8', from, this.position);
  }

  /** Goes over the value of a field that we do not know. Groups (deprecated since 2008) are refused. */
  skip(wire: number): void {
    if (wire === WIRE_VARINT) this.#varint(true);
    else if (wire === WIRE_BYTES) this.view();
    else if (wire === WIRE_FIXED64 || wire === WIRE_FIXED32) {
      this.position += wire === WIRE_FIXED64 ? 8 : 4;
      if (this.position > this.end) throw malformed('a field ends early');
    } else throw malformed(`wire type ${wire}`);
  }
}

function safeInteger(low: number, high: number): number {
  const value = high * TWO_32 + low;
  if (!Number.isSafeInteger(value)) throw malformed('an integer beyond 2^53 - 1');
  return value;
}
