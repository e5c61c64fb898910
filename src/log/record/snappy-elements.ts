/**
 * The raw form of snappy, after the size that it begins with:
 *
 *   literal   tag LLLLLL00: L + 1 bytes follow; L = 60..63: 1..4 bytes follow with the length - 1 (u8..u32le)
 *   copy      tag OOOLLL01 | u8: L + 4 bytes from O * 256 + u8 bytes back
 *             tag LLLLLL10 | u16le, tag LLLLLL11 | u32le: L + 1 bytes from so many back
 *
 * Written by hand for its memory, and it is no slower: the library makes a buffer of its own for every block, which stays
 * until the collector comes. Here all blocks of a batch go into one piece. Source: "Snappy compressed format description".
 */

/** Longer literals are worth a call. */
const LOOP_BYTES_MAX = 24;

/**
 * Inflates `block` from `at` on into `[start, end)` of `out`, which it must fill to the byte; copies reach back to `start`
 * at most. False: it is damaged.
 */
export function inflateElements(
  block: Uint8Array,
  at: number,
  out: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
): boolean {
  let from = at;
  let to = start;
  while (from < block.length) {
    const tag = block[from++] as number;
    const kind = tag & 3;
    const extra = kind === 0 ? Math.max(0, (tag >> 2) - 59) : EXTRA_BYTES[kind];
    if (extra === undefined || from + extra > block.length) return false;
    const number = readLittle(block, from, extra);
    from += extra;
    if (kind === 0) {
      const length = (extra === 0 ? tag >> 2 : number) + 1;
      if (from + length > block.length || to + length > end) return false;
      putLiteral(block, from, out, to, length);
      from += length;
      to += length;
      continue;
    }
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const distance = kind === 1 ? ((tag >> 5) << 8) + number : number;
    if (distance === 0 || distance > to - start || to + length > end) return false;
    // Byte by byte: what is copied may begin with what is being copied.
    for (let back = to - distance, left = length; left > 0; left--) out[to++] = out[back++] as number;
  }
  return to === end;
}

/** After the tag of a copy, by its kind. */
const EXTRA_BYTES = [0, 1, 2, 4] as const;

function readLittle(bytes: Uint8Array, at: number, count: number): number {
  if (count === 1) return bytes[at] as number;
  if (count === 2) return (bytes[at] as number) + ((bytes[at + 1] as number) << 8);
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] as number);
  return value;
}

function putLiteral(block: Uint8Array, from: number, out: Uint8Array, to: number, length: number): void {
  if (length > LOOP_BYTES_MAX) out.set(block.subarray(from, from + length), to);
  else for (let i = 0; i < length; i++) out[to + i] = block[from + i] as number;
}
