/**
 * Writes protobuf's wire format from the end to the beginning of a stretch of a buffer that has exactly the
 * right size.
 *
 * Backwards, because a nested message's length stands before it: when its start is reached the length is
 * known, and nothing has to be moved or measured twice. Bytes are copied once, into the message that is
 * handed to the transport.
 */
import { ApiError } from '../../base/index.ts';

const TWO_32 = 2 ** 32;

export class Writer {
  readonly bytes: Buffer;
  /** Everything from here on is written. */
  position: number;

  /** `end` is exclusive. */
  constructor(bytes: Buffer, end: number) {
    this.bytes = bytes;
    this.position = end;
  }

  varint(value: number): void {
    if (value >= 0 && value < 0x80) this.bytes[--this.position] = value;
    else if (value >= 0 && value < 0x4000) {
      this.position -= 2;
      this.bytes[this.position] = (value & 0x7f) | 0x80;
      this.bytes[this.position + 1] = value >> 7;
    } else this.#long(value);
  }

  #long(value: number): void {
    const size = varintSize(value);
    this.position -= size;
    let low = value >>> 0;
    let high = Math.floor(value / TWO_32) >>> 0;
    for (let i = 0; i < size; i++) {
      this.bytes[this.position + i] = (low & 0x7f) | (i < size - 1 ? 0x80 : 0);
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
  }

  raw(bytes: Uint8Array): void {
    this.position -= bytes.length;
    this.bytes.set(bytes, this.position);
  }

  text(text: string, sizeBytes: number): void {
    this.position -= sizeBytes;
    this.bytes.write(text, this.position, sizeBytes, 'utf8');
  }
}

/**
 * Bytes of `value` as a varint; a negative one is sign-extended to 64 bits, as protobuf's int32 and int64
 * are.
 */
export function varintSize(value: number): number {
  if (value < 0) return 10;
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < 0x10000000) return 4;
  if (value < 0x800000000) return 5;
  if (value < 0x40000000000) return 6;
  if (value < 0x2000000000000) return 7;
  return 8;
}

/** Refuses what an int32 field cannot carry. */
export function assertInt32(value: number): void {
  if ((value | 0) !== value) throw new ApiError('INVALID_REQUEST', `${value} is not a 32-bit integer`);
}

/** Refuses what cannot be carried without loss. */
export function assertInt64(value: number): void {
  if (!Number.isSafeInteger(value)) throw new ApiError('INVALID_REQUEST', `${value} is not an integer`);
}
