/**
 * The signed varint of records: zigzag, then base-128 groups, low group first, high bit = more follow. A
 * varint holds 32 bits in at most 5 bytes, a varlong 64 bits in at most 10. Not the unsigned varint of
 * Kafka's flexible messages.
 *
 * Numbers stay below 2^53 in magnitude; a varlong beyond that is refused by the reader.
 * Source: Kafka's ByteUtils; Protocol Buffers, "Encoding", sint32/sint64.
 */

/**
 * Reads on from `position`, at most up to `end`. After a failed read `failure` says why; the value is then
 * 0.
 */
export class VarintReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  position: number;
  failure: string | undefined;

  constructor(bytes: Uint8Array, position: number, end: number) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  // One byte covers values from -64 to 63, two those from -8192 to 8191: nearly all of a record's.

  varint(): number {
    const { bytes, position: at } = this;
    if (at + 1 < this.end) {
      const first = bytes[at] as number;
      if (first < 0x80) {
        this.position = at + 1;
        return (first >>> 1) ^ -(first & 1);
      }
      const second = bytes[at + 1] as number;
      if (second < 0x80) {
        this.position = at + 2;
        return (((first & 0x7f) | (second << 7)) >>> 1) ^ -(first & 1);
      }
    }
    return this.#longVarint();
  }

  varlong(): number {
    const { bytes, position: at } = this;
    if (at + 1 < this.end) {
      const first = bytes[at] as number;
      if (first < 0x80) {
        this.position = at + 1;
        return (first >>> 1) ^ -(first & 1);
      }
      const second = bytes[at + 1] as number;
      if (second < 0x80) {
        this.position = at + 2;
        return (((first & 0x7f) | (second << 7)) >>> 1) ^ -(first & 1);
      }
    }
    return this.#longVarlong();
  }

  #longVarint(): number {
    const { bytes } = this;
    let at = this.position;
    let raw = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= this.end) return this.#fail('ends inside a varint');
      const byte = bytes[at++] as number;
      if (shift === 28 && byte > 0x0f) return this.#fail('holds a varint of more than 32 bits');
      raw |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.position = at;
        return (raw >>> 1) ^ -(raw & 1);
      }
    }
    return this.#fail('holds a varint of more than 5 bytes');
  }

  #longVarlong(): number {
    let at = this.position;
    let low = 0;
    let high = 0;
    for (let group = 0; group < 10; group++) {
      if (at >= this.end) return this.#fail('ends inside a varlong');
      const byte = this.bytes[at++] as number;
      if (group === 9 && byte > 1) return this.#fail('holds a varlong of more than 64 bits');
      const bits = byte & 0x7f;
      if (group < 4) low += bits * 2 ** (7 * group);
      else high += bits * 2 ** (7 * (group - 4));
      if (byte >= 0x80) continue;
      this.position = at;
      return this.#unzigzag(low, high);
    }
    return this.#fail('holds a varlong of more than 10 bytes');
  }

  /** The raw value is high * 2^28 + low; its lowest bit is the sign. */
  #unzigzag(low: number, high: number): number {
    if (high >= 2 ** 26) return this.#fail('holds a varlong beyond 2^53');
    const magnitude = high * 2 ** 27 + Math.floor(low / 2);
    return low % 2 === 1 ? -magnitude - 1 : magnitude;
  }

  #fail(reason: string): number {
    this.failure ??= reason;
    this.position = this.end;
    return 0;
  }
}

/** Bytes of `value`, a 32-bit integer, as a varint. */
export function varintBytes(value: number): number {
  const raw = ((value << 1) ^ (value >> 31)) >>> 0;
  if (raw < 0x80) return 1;
  if (raw < 0x4000) return 2;
  if (raw < 0x200000) return 3;
  return raw < 0x10000000 ? 4 : 5;
}

/** Bytes of `value`, a safe integer, as a varlong. */
export function varlongBytes(value: number): number {
  if (value === (value | 0)) return varintBytes(value);
  let rest = value >= 0 ? value : -(value + 1);
  let bytes = 1;
  for (rest = Math.floor(rest / 64); rest > 0; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Writes at `at`; returns the position after it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let raw = ((value << 1) ^ (value >> 31)) >>> 0;
  while (raw >= 0x80) {
    bytes[at++] = raw | 0x80;
    raw >>>= 7;
  }
  bytes[at] = raw;
  return at + 1;
}

/** Writes at `at`; returns the position after it. `value` is a safe integer. */
export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (value === (value | 0)) return writeVarint(bytes, at, value);
  const negative = value < 0;
  let rest = negative ? -(value + 1) : value;
  let group = ((rest % 64) << 1) | (negative ? 1 : 0);
  rest = Math.floor(rest / 64);
  while (rest > 0) {
    bytes[at++] = group | 0x80;
    group = rest % 128;
    rest = Math.floor(rest / 128);
  }
  bytes[at] = group;
  return at + 1;
}
