/**
 * How Node's zlib is called. It puts its output into pieces of 16 KiB and then copies them into one buffer, so that all
 * of it is in memory twice. For little that is the fastest; what turns out to be much is inflated once more, into one
 * piece with room for all there may be, of which the system gives what is written to.
 */
const LITTLE_BYTES = 1024 * 1024;

export interface PieceOptions {
  readonly chunkSize?: number;
  readonly maxOutputLength: number;
}

/** Inflates `sizeBytes` of input to at most `limitBytes`. Throws what `inflate` throws. */
export function intoOnePiece<T>(
  sizeBytes: number,
  limitBytes: number,
  inflate: (options: PieceOptions) => T,
): T {
  // The library takes no limit of 0: a byte too many is refused after it.
  if (limitBytes <= LITTLE_BYTES) return inflate({ maxOutputLength: Math.max(1, limitBytes) });
  if (sizeBytes < LITTLE_BYTES) {
    try {
      return inflate({ maxOutputLength: LITTLE_BYTES });
    } catch (error) {
      if (!isTooLarge(error)) throw error;
    }
  }
  // A byte more, or a full piece would be followed by an empty one.
  return inflate({ chunkSize: limitBytes + 1, maxOutputLength: limitBytes });
}

/** What zlib says when its output would pass the limit. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}
