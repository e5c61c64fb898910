/**
 * Payloads that tell whether they came back as they were sent:
 *
 *     <id> '|' <crc32c of id, context and filler: 8 hex digits> '|' <filler>
 *
 * The context (topic, key, headers, ...) is hashed but not stored: the reader takes it from where the payload was found, so
 * that a payload under a wrong key, or in a wrong topic, is found out as well.
 */
import { crc32c, StartupError, toBuffer } from '../../base/index.ts';

const CORRUPTED = 'corrupted:';
/** Enough of a damaged payload to recognise where it came from. */
const SHOWN_BYTES = 40;

/** The payload of the value named `id`, filled up to `sizeBytes`; never shorter than its id and hash need. */
export function encodeValue(id: string, sizeBytes = 0, context = ''): Buffer {
  if (id === '' || id.includes('|') || isCorrupted(id))
    throw new StartupError(`"${id}" cannot be the name of a value`);
  const fillerBytes = Math.max(0, sizeBytes - Buffer.byteLength(id) - 10);
  const seed = hash(id, context, '');
  const filler = seed.repeat(Math.ceil(fillerBytes / seed.length)).slice(0, fillerBytes);
  return Buffer.from(`${id}|${hash(id, context, filler)}|${filler}`);
}

/**
 * The name of the value in `payload`: what a poll records. What is no payload of {@link encodeValue}, or has another hash,
 * gives a name that {@link isCorrupted} tells.
 */
export function readValue(payload: Uint8Array | null | undefined, context = ''): string {
  if (payload === null || payload === undefined) return `${CORRUPTED}nothing`;
  const text = toBuffer(payload).toString();
  const end = text.indexOf('|');
  const id = text.slice(0, end);
  const filler = text.slice(end + 10);
  const isWhole = end > 0 && text.slice(end + 1, end + 10) === `${hash(id, context, filler)}|`;
  return isWhole ? id : `${CORRUPTED}${text.slice(0, SHOWN_BYTES)}`;
}

/** True for the names that {@link readValue} gives to damaged payloads. */
export function isCorrupted(value: string): boolean {
  return value.startsWith(CORRUPTED);
}

function hash(id: string, context: string, filler: string): string {
  return (crc32c(Buffer.from(`${id}|${context}|${filler}`)) >>> 0).toString(16).padStart(8, '0');
}
