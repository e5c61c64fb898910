import { crc32c, type WallMs } from '../../base/index.ts';
import type { LogConfig } from '../log-config.ts';
import type { Segment } from './segment.ts';

/**
 * Age at which `segment` is closed: segment.ms, less its own part of segment.jitter.ms, so that logs that began together
 * do not all roll together. The part follows from the name of the file, so it is the same after a restart.
 */
export function rollAgeMs({ segmentMs, segmentJitterMs }: LogConfig, segment: Segment): number {
  if (segmentJitterMs === 0) return segmentMs;
  const share = crc32c(Buffer.from(segment.path)) / 2 ** 32;
  return segmentMs - Math.floor(share * Math.min(segmentJitterMs, segmentMs));
}

/**
 * True when the active segment has waited long enough for records that would close it: for segment.ms since this process
 * met it. By its records' own age, which is theirs to say, only an append closes it.
 */
export function isIdleTooLong(config: LogConfig, segment: Segment, nowMs: WallMs): boolean {
  if (segment.sizeBytes === 0) return false;
  segment.metMs ??= nowMs;
  return nowMs - segment.metMs > rollAgeMs(config, segment);
}
