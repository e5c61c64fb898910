import type { Uuid } from './brands.ts';
import type { Random } from './random.ts';
import { toBuffer } from './to-buffer.ts';

/** "No id": sixteen zero bytes. Never the id of a topic, a directory or a cluster. */
export const ZERO_UUID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA';

const UUID_CHARS = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** A random (version 4) id, never {@link ZERO_UUID}, never starting with '-' (awkward on a command line). */
export function randomUuid(random: Random): Uuid {
  for (;;) {
    const bytes = random.bytes(16);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const uuid = uuidFromBytes(bytes);
    if (!uuid.startsWith('-')) return uuid;
  }
}

/** True when `text` is exactly the 22-character form of sixteen bytes. */
export function isUuid(text: string): text is Uuid & string {
  return UUID_CHARS.test(text);
}

/** `bytes` must be 16 long. */
export function uuidFromBytes(bytes: Uint8Array): Uuid {
  return toBuffer(bytes).toString('base64url');
}

/** The sixteen bytes of `uuid`. */
export function uuidToBytes(uuid: Uuid): Buffer {
  return Buffer.from(uuid, 'base64url');
}
