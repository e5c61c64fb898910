import { constants, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { ApiError, toBuffer } from '../../base/index.ts';
import type { CompressionType } from './compression-type.ts';
import { InflateError } from './inflate-error.ts';
import { compressLz4, inflateLz4 } from './lz4-frame.ts';
import { intoOnePiece, isTooLarge } from './one-piece.ts';
import { compressSnappy, inflateSnappy } from './snappy-blocks.ts';
import { inflateZstd } from './zstd-frames.ts';

/** Compresses the records part of a batch. With 'none' the same memory comes back. */
export function compress(type: CompressionType, bytes: Uint8Array): Uint8Array {
  switch (type) {
    case 'none':
      return bytes;
    case 'gzip':
      return gzipSync(bytes);
    case 'snappy':
      return compressSnappy(toBuffer(bytes));
    case 'lz4':
      return compressLz4(toBuffer(bytes));
    case 'zstd':
      return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  }
}

/**
 * Inflates the records part of a batch; no more than `limitBytes` are ever allocated for output. Throws
 * ApiError: INVALID_RECORD when the limit would be passed (its number is in the message), CORRUPT_MESSAGE
 * when damaged.
 */
export function inflate(type: CompressionType, bytes: Uint8Array, limitBytes: number): Uint8Array {
  if (type === 'none') return bytes;
  try {
    return toBuffer(inflateUnmapped(type, toBuffer(bytes), limitBytes));
  } catch (error) {
    if (isTooLarge(error) || (error instanceof InflateError && error.reason === 'too-large'))
      throw new ApiError(
        'INVALID_RECORD',
        `the batch inflates to more than the limit of ${limitBytes} bytes`,
      );
    const reason = error instanceof Error ? error.message : String(error);
    throw new ApiError('CORRUPT_MESSAGE', `the ${type} records of the batch cannot be inflated: ${reason}`);
  }
}

function inflateUnmapped(type: Exclude<CompressionType, 'none'>, bytes: Buffer, limitBytes: number): Buffer {
  switch (type) {
    case 'gzip':
      return intoOnePiece(gzipSaidBytes(bytes), limitBytes, (options) => gunzipSync(bytes, options));
    case 'snappy':
      return inflateSnappy(bytes, limitBytes);
    case 'lz4':
      return inflateLz4(bytes, limitBytes);
    case 'zstd':
      return inflateZstd(bytes, limitBytes);
  }
}

/** The trailer of the last member, modulo 2^32. Source: RFC 1952 §2.3.1. */
function gzipSaidBytes(bytes: Buffer): number {
  return bytes.length < 4 ? 0 : bytes.readUInt32LE(bytes.length - 4);
}
