import { ERRORS, type ErrorName } from './error-codes.ts';

/** A refusal: what a client may be told. `message` is for people; it holds no path and no stack. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorName;

  constructor(code: ErrorName, message?: string) {
    super(message ?? ERRORS[code].text);
    this.code = code;
  }

  get retriable(): boolean {
    return ERRORS[this.code].retriable;
  }

  /** True when the request certainly had no effect. */
  get definite(): boolean {
    return ERRORS[this.code].definite;
  }
}

export type EnvironmentReason =
  | 'disk-full'
  | 'io-error'
  | 'not-found'
  | 'already-exists'
  | 'locked'
  | 'permission'
  | 'too-many-open-files'
  | 'address-in-use'
  | 'address-not-available'
  | 'unreachable'
  | 'disconnected'
  | 'deadline-exceeded'
  | 'closed'
  | 'other';

/** The world outside failed. `subject` names the file, directory or address; `cause` is the platform's error. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
  readonly reason: EnvironmentReason;
  readonly subject: string;

  constructor(reason: EnvironmentReason, subject: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.subject = subject;
  }
}

/** Our own bytes are not what we wrote: never retried, never guessed around. */
export class CorruptionError extends Error {
  override readonly name = 'CorruptionError';
  readonly file: string;
  readonly position: number;
  readonly expected: string;
  readonly found: string;

  constructor(file: string, position: number, expected: string, found: string) {
    super(`${file} is damaged at byte ${position}: expected ${expected}, found ${found}`);
    this.file = file;
    this.position = position;
    this.expected = expected;
    this.found = found;
  }
}

/** Wrong configuration, arguments or state of a directory: what a person must mend before the program starts. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
