/**
 * What a broker's answer means for a batch. Pure; the one place where produce errors are judged.
 *
 * Laws: a batch with a sequence is sent again under that one, unless it was certainly not written. One without may
 * then be there twice, as with Kafka, and the doubt is kept. An error that says nothing (UNKNOWN_SERVER_ERROR) leaves
 * the batch in doubt and never changes the producer's epoch (KAFKA-14034). A repetition that the broker recognised is
 * a success.
 */
import { ERRORS, type ErrorCode, type ErrorName } from '../../base/index.ts';

export type Verdict =
  | { readonly kind: 'done' }
  /** Again, as it is. `doubt`: this copy may have been written. */
  | { readonly kind: 'retry'; readonly doubt?: ErrorName }
  /** Again, but with a new place in the order: under the present identity it can never be accepted. */
  | { readonly kind: 'resequence' }
  /** Again in two halves. */
  | { readonly kind: 'split' }
  /** Not again. An indefinite code: the records may have been written. */
  | { readonly kind: 'fail'; readonly code: ErrorName };

export interface JudgedBatch {
  readonly count: number;
  readonly sequenced: boolean;
  readonly wasFirst: boolean;
  readonly doubt: ErrorName | undefined;
  readonly blindFailures: number;
}

/** Times in a row a batch is sent again after an answer that explains nothing. */
export const BLIND_FAILURES_MAX = 10;

export function judge(error: ErrorCode, batch: JudgedBatch): Verdict {
  switch (error) {
    case 'NONE':
      return { kind: 'done' };
    case 'DUPLICATE_SEQUENCE_NUMBER':
      return batch.sequenced ? { kind: 'done' } : failed(error, batch);
    case 'OUT_OF_ORDER_SEQUENCE_NUMBER':
    case 'UNKNOWN_PRODUCER_ID':
    case 'INVALID_PRODUCER_EPOCH':
      return judgeSequence(error, batch);
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return batch.count > 1 ? { kind: 'split' } : failed(error, batch);
    case 'UNKNOWN_SERVER_ERROR':
    case 'CORRUPT_MESSAGE': {
      const again = batch.blindFailures < BLIND_FAILURES_MAX && (batch.sequenced || ERRORS[error].definite);
      if (!again) return failed(error, batch);
      return ERRORS[error].definite ? { kind: 'retry' } : { kind: 'retry', doubt: error };
    }
    default:
      if (!ERRORS[error].retriable) return failed(error, batch);
      return ERRORS[error].definite ? { kind: 'retry' } : { kind: 'retry', doubt: error };
  }
}

/**
 * Its turn will come when those before it are through; if it was first, the broker has lost what it knew of
 * this producer.
 */
function judgeSequence(error: ErrorName, batch: JudgedBatch): Verdict {
  if (!batch.sequenced) return failed(error, batch);
  if (!batch.wasFirst) return { kind: 'retry' };
  return batch.doubt === undefined ? { kind: 'resequence' } : failed(error, batch);
}

/** A definite refusal of the last copy does not clear the doubt about an earlier one. */
function failed(error: ErrorName, batch: JudgedBatch): Verdict {
  return { kind: 'fail', code: batch.doubt ?? error };
}
