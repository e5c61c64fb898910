import { ApiError, EnvironmentError } from '../base/index.ts';

/** What a person must do about a log that failed; goes with its directory into the broker's own log. */
export function wayOut(failure: unknown): string {
  return failure instanceof EnvironmentError && failure.reason === 'disk-full'
    ? 'make room on the disk of its directory, then start the broker again'
    : 'look after the disk of its directory, then start the broker again';
}

/** What a client is told of a log that failed: no path, but what a person must look after. */
export function storageRefusal(failure: unknown): ApiError {
  if (failure instanceof EnvironmentError && failure.reason === 'disk-full')
    return new ApiError(
      'KAFKA_STORAGE_ERROR',
      'the disk of the broker is full: the partition is offline there until it has room and the broker is restarted',
    );
  return new ApiError('KAFKA_STORAGE_ERROR', "the partition's log failed on the broker and is offline there");
}
