import { ApiError, EnvironmentError } from '../base/index.ts';

/** What a client is told of a log that failed: no path, but what a person must look after. */
export function storageRefusal(failure: unknown): ApiError {
  if (failure instanceof EnvironmentError && failure.reason === 'disk-full')
    return new ApiError(
      'KAFKA_STORAGE_ERROR',
      'the disk of the broker is full: the partition is offline there',
    );
  return new ApiError('KAFKA_STORAGE_ERROR', "the partition's log failed on the broker and is offline there");
}
