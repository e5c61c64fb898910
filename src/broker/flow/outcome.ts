/**
 * From a throwable to what a reply may say: total, in one place.
 *
 * A failure of the road between two brokers leaves open whether the other side acted, so it becomes an indefinite error;
 * anything unexpected says so without a stack or a path.
 */
import {
  ApiError,
  CorruptionError,
  EnvironmentError,
  type EnvironmentReason,
  ERRORS,
  type ErrorName,
} from '../../base/index.ts';
import type { Outcome } from '../../rpc/api/index.ts';

export const OK: Outcome = { error: 'NONE' };

export function refusal(error: ErrorName, errorMessage?: string): Outcome {
  return { error, errorMessage: errorMessage ?? ERRORS[error].text };
}

/** What a client may be told about `error`. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof ApiError) return refusal(error.code, error.message);
  if (error instanceof EnvironmentError) return outcomeOfReason(error.reason);
  if (error instanceof CorruptionError) return refusal('KAFKA_STORAGE_ERROR', 'the log is damaged here');
  return refusal('UNKNOWN_SERVER_ERROR');
}

/** True when nobody expected `error`: it belongs into the log, and a bug of ours to the fault handler. */
export function isUnexpected(error: unknown): boolean {
  return !(error instanceof ApiError || error instanceof EnvironmentError);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function outcomeOfReason(reason: EnvironmentReason): Outcome {
  switch (reason) {
    case 'unreachable':
      // The request never left: certainly without effect.
      return refusal('LEADER_NOT_AVAILABLE', 'the leader cannot be reached now');
    case 'deadline-exceeded':
      return refusal('REQUEST_TIMED_OUT');
    case 'disconnected':
    case 'closed':
      return refusal('NETWORK_EXCEPTION');
    case 'disk-full':
    case 'io-error':
    case 'permission':
    case 'too-many-open-files':
      return refusal('KAFKA_STORAGE_ERROR');
    default:
      return refusal('UNKNOWN_SERVER_ERROR');
  }
}
