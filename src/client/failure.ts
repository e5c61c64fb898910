import { ApiError, EnvironmentError, type ErrorName } from '../base/index.ts';

/** True when the same call may succeed later or at another broker. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ApiError) return error.retriable;
  if (!(error instanceof EnvironmentError)) return false;
  return NETWORK_REASONS.has(error.reason);
}

const NETWORK_REASONS: ReadonlySet<string> = new Set(['unreachable', 'disconnected', 'deadline-exceeded']);

/**
 * The one place where a failed call becomes what a user of the client sees. Anything that is no failure of a
 * call is thrown on.
 */
export function toApiError(error: unknown, what: string): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof EnvironmentError) return new ApiError(codeOf(error), `${what}: ${error.message}`);
  throw error;
}

function codeOf(error: EnvironmentError): ErrorName {
  switch (error.reason) {
    case 'deadline-exceeded':
      return 'REQUEST_TIMED_OUT';
    case 'disconnected':
      return 'NETWORK_EXCEPTION';
    case 'unreachable':
      return 'BROKER_NOT_AVAILABLE';
    default:
      return 'UNKNOWN_SERVER_ERROR';
  }
}

/** Words of any throwable, for a message or a log line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
