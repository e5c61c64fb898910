import { ApiError, CorruptionError, EnvironmentError, StartupError } from '../base/index.ts';

/** What a person must do about a log or a directory that failed; goes with its path into the broker's own log. */
export function wayOut(failure: unknown): string {
  if (failure instanceof CorruptionError)
    return (
      'nothing if another replica has the records: this one is then made anew from it, and the damaged files are kept ' +
      'beside it. If this is the last in-sync replica, restore the file and start the broker again, or let another ' +
      'replica lead with unclean.leader.election.enable=true, which loses what only this one has'
    );
  if (failure instanceof StartupError) return 'do what the error says, then start the broker again';
  return failure instanceof EnvironmentError && failure.reason === 'disk-full'
    ? 'make room on the disk of its directory, then start the broker again'
    : 'look after the disk of its directory, then start the broker again';
}

/** The failure as fields of a log line. */
export function describeFailure(failure: unknown): Record<string, unknown> {
  if (!(failure instanceof CorruptionError))
    return { error: failure instanceof Error ? failure.message : String(failure) };
  const { message, file, position, expected, found } = failure;
  return { error: message, file, position, expected, found };
}

/** What a client is told of a log that failed: no path, but what a person must look after. */
export function storageRefusal(failure: unknown): ApiError {
  if (failure instanceof EnvironmentError && failure.reason === 'disk-full')
    return new ApiError(
      'KAFKA_STORAGE_ERROR',
      'the disk of the broker is full: the partition is offline there until it has room and the broker is restarted',
    );
  if (failure instanceof CorruptionError)
    return new ApiError(
      'KAFKA_STORAGE_ERROR',
      "the partition's log is damaged on the broker and offline there",
    );
  return new ApiError('KAFKA_STORAGE_ERROR', "the partition's log failed on the broker and is offline there");
}
