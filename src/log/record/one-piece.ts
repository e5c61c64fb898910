/**
 * How Node's zlib is called. It puts its output into pieces of 16 KiB and then copies them into one buffer, so that all
 * of it is in memory twice. For little that is the fastest. Much goes into one piece: of the size that the stream says
 * it has or, where it says none, with room for all there may be, of which the system gives what is written to.
 */
const LITTLE_BYTES = 128 * 1024;

export interface PieceOptions {
  readonly chunkSize?: number;
  readonly maxOutputLength: number;
}

/**
 * Inflates to at most `limitBytes`. `saidBytes`: what the stream says it inflates to, which may be a lie; undefined: it
 * says nothing, and is inflated once more when it is not little. Throws what `inflate` throws.
 */
export function intoOnePiece<T>(
  saidBytes: number | undefined,
  limitBytes: number,
  inflate: (options: PieceOptions) => T,
): T {
  // The library takes no limit of 0: a byte too many is refused after it.
  const maxOutputLength = Math.max(1, limitBytes);
  if (saidBytes === undefined && limitBytes > LITTLE_BYTES) {
    try {
      return inflate({ maxOutputLength: LITTLE_BYTES });
    } catch (error) {
      if (!isTooLarge(error)) throw error;
    }
  }
  const pieceBytes = saidBytes ?? limitBytes;
  if (pieceBytes <= LITTLE_BYTES || pieceBytes > limitBytes) return inflate({ maxOutputLength });
  // A byte more, or a full piece would be followed by an empty one.
  return inflate({ chunkSize: pieceBytes + 1, maxOutputLength });
}

/** What zlib says when its output would pass the limit. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}
