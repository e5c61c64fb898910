import type { ErrorName } from '../../base/index.ts';

/** Why a batch is refused: a code of the error table and a sentence with the numbers. */
export interface BatchProblem {
  readonly code: ErrorName;
  readonly message: string;
}

/** The bytes are not what somebody once wrote. */
export const corrupt = (message: string): BatchProblem => ({ code: 'CORRUPT_MESSAGE', message });

/** The bytes arrived as they were sent, and should not have been. */
export const invalid = (message: string): BatchProblem => ({ code: 'INVALID_RECORD', message });
