/**
 * Where the scrub is, so that restarts do not keep it from the end of a round. A hint: when it is missing or damaged, a
 * round begins anew. `scrub-checkpoint` in Kafka's checkpoint format, lines of
 *
 *   started <Unix ms>                     of the round; none: the next one has not begun
 *   ended <Unix ms>                       of the last whole round; none: there was none
 *   after <topic> <partition> <offset>    base offset of the last segment done; none: at the beginning
 */
import { CorruptionError, type WallMs } from '../../base/index.ts';
import { type Files, readWholeFile, replaceFile } from '../../env/index.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../checkpoint/checkpoint-file.ts';
import type { ScrubPlace } from './scrub-round.ts';

export const SCRUB_CHECKPOINT = 'scrub-checkpoint';

export interface ScrubCheckpoint {
  readonly startedMs?: WallMs;
  readonly endedMs?: WallMs;
  readonly after?: ScrubPlace;
}

const PLACE = /^(\S+) (\d+) (\d+)$/;

export function encodeScrubCheckpoint({ startedMs, endedMs, after }: ScrubCheckpoint): Buffer {
  const lines: string[] = [];
  if (startedMs !== undefined) lines.push(`started ${startedMs}`);
  if (endedMs !== undefined) lines.push(`ended ${endedMs}`);
  if (after !== undefined) lines.push(`after ${after.topic} ${after.partition} ${after.baseOffset}`);
  return encodeCheckpoint(lines);
}

/** Throws CorruptionError; `path` is for its message. */
export function decodeScrubCheckpoint(bytes: Buffer, path: string): ScrubCheckpoint {
  let checkpoint: ScrubCheckpoint = {};
  for (const line of decodeCheckpoint(bytes, path)) {
    const [word = '', rest = ''] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)];
    const [, topic, partition, baseOffset] = PLACE.exec(rest) ?? [];
    if (word === 'started' && /^\d+$/.test(rest)) checkpoint = { ...checkpoint, startedMs: Number(rest) };
    else if (word === 'ended' && /^\d+$/.test(rest)) checkpoint = { ...checkpoint, endedMs: Number(rest) };
    else if (word === 'after' && topic !== undefined) {
      const after = { topic, partition: Number(partition), baseOffset: Number(baseOffset) };
      checkpoint = { ...checkpoint, after };
    } else throw new CorruptionError(path, 0, 'started, ended or after', JSON.stringify(line));
  }
  return checkpoint;
}

/** An empty one when there is none, or none that makes sense. Rejects with EnvironmentError. */
export async function readScrubCheckpoint(files: Files, path: string): Promise<ScrubCheckpoint> {
  try {
    const bytes = await readWholeFile(files, path);
    return bytes === undefined ? {} : decodeScrubCheckpoint(bytes, path);
  } catch (error) {
    if (error instanceof CorruptionError) return {};
    throw error;
  }
}

export function saveScrubCheckpoint(files: Files, path: string, checkpoint: ScrubCheckpoint): Promise<void> {
  return replaceFile(files, path, encodeScrubCheckpoint(checkpoint));
}
