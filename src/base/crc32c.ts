import { crc32c as native } from '@node-rs/crc32';

/** CRC-32C (Castagnoli) of `bytes` as an unsigned 32-bit number; `initial` continues an earlier result. */
export function crc32c(bytes: Uint8Array, initial = 0): number {
  return native(bytes as Buffer, initial);
}
