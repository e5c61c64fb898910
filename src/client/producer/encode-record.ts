/** From what a user gives to what a batch takes. Pure. */
import type { RecordHeader } from '../../log/record/index.ts';
import type { Content, HeadersInput } from '../types.ts';

/** UTF-8 for strings; bytes as they are, not copied. null: none. */
export function toBytes(content: Content | null | undefined): Uint8Array | null {
  if (content === null || content === undefined) return null;
  return typeof content === 'string' ? Buffer.from(content) : content;
}

const NO_HEADERS: readonly RecordHeader[] = [];

export function toHeaders(headers: HeadersInput | undefined): readonly RecordHeader[] {
  if (headers === undefined) return NO_HEADERS;
  if (!isList(headers)) return Object.entries(headers).map(([key, value]) => toHeader(key, value));
  return headers.map(({ key, value }) => toHeader(key, value));
}

function toHeader(key: string, value: Content | null | undefined): RecordHeader {
  const bytes = toBytes(value);
  return bytes === null ? { key } : { key, value: bytes };
}

function isList(headers: HeadersInput): headers is Extract<HeadersInput, readonly unknown[]> {
  return Array.isArray(headers);
}

/** Lengths, deltas and attributes of a record, at most. */
const RECORD_OVERHEAD_BYTES = 32;
const HEADER_OVERHEAD_BYTES = 10;
/** A character of a header's name takes at most three bytes of UTF-8 per UTF-16 unit. */
const NAME_BYTES_PER_UNIT = 3;

/** An upper bound of the bytes of a record in a batch. */
export function recordBytesBound(
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly RecordHeader[],
): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers)
    bytes += HEADER_OVERHEAD_BYTES + header.key.length * NAME_BYTES_PER_UNIT + (header.value?.length ?? 0);
  return bytes;
}
