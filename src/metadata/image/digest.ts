/**
 * A fingerprint of an image's content: equal images have equal digests on every node, however they came to be.
 *
 * Taken over the canonical encoding (sorted records, canonical bytes): CRC-32C, then FNV-1a, both 32 bits. It finds
 * divergence, not malice. The offset is not part of it: compare digests of equal offsets. Cost: one encoding of the image.
 */
import { crc32c } from '../../base/index.ts';
import { encodeRecords } from '../records/codec.ts';
import { imageToRecords, type MetadataImage } from './image.ts';

/** 16 hex digits. */
export function imageDigest(image: MetadataImage): string {
  const bytes = encodeRecords(imageToRecords(image));
  return hex(crc32c(bytes)) + hex(fnv1a(bytes));
}

function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return hash >>> 0;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
