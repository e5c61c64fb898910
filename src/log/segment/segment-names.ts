import type { Offset } from '../../base/index.ts';

/**
 * Files of a log are named by the first offset they may hold, 20 digits, so that names sort as offsets do.
 */
export function offsetName(offset: Offset): string {
  return String(offset).padStart(20, '0');
}

const NAME = /^(\d{20})\.(log|index|timeindex|snapshot)$/;

/** undefined: not a file of a log by its name. */
export function parseLogFileName(name: string): { offset: Offset; suffix: string } | undefined {
  const match = NAME.exec(name);
  const offset = Number(match?.[1]);
  return match === null || !Number.isSafeInteger(offset) ? undefined : { offset, suffix: match[2] ?? '' };
}
