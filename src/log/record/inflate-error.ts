/**
 * Why compressed records could not be inflated: they are damaged, or would pass the limit. Mapped to an
 * ApiError at the door.
 */
export class InflateError extends Error {
  override readonly name = 'InflateError';
  readonly reason: 'malformed' | 'too-large';

  constructor(reason: 'malformed' | 'too-large', message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}
