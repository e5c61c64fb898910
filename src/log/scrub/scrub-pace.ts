/** How fast a scrub reads. Pure. */

export interface ScrubSettings {
  /** Most bytes read a second; 0: no scrub. */
  readonly bytesPerSecond: number;
  /** Time in which everything is read once. */
  readonly intervalMs: number;
}

/** Slower makes no difference to anybody, and a small log is done soon. */
const BYTES_PER_SECOND_MIN = 256 * 1024;

/**
 * Bytes a second: what is left spread over the time that is left, but never above the limit: a round that cannot end in
 * time takes longer.
 */
export function scrubRate(
  left: { readonly bytes: number; readonly ms: number },
  { bytesPerSecond }: ScrubSettings,
): number {
  const spread = left.ms <= 0 ? Number.POSITIVE_INFINITY : (left.bytes / left.ms) * 1000;
  return Math.min(bytesPerSecond, Math.max(spread, BYTES_PER_SECOND_MIN));
}

/** Until the next read, after one of `bytes`. */
export function pauseAfterMs(bytes: number, rate: number): number {
  return (bytes / rate) * 1000;
}
