import { CorruptionError, type Offset, type PartitionId, topicPartitionKey } from '../../base/index.ts';
import { type Files, readWholeFile, replaceFile } from '../../env/index.ts';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint-file.ts';
import { type LogCheckpoint, NO_CHECKPOINT } from './log-checkpoint.ts';

/**
 * Offsets of all logs of a directory, one file per meaning: `<topic> <partition> <offset>` per line.
 * Source: Kafka's OffsetCheckpointFile.
 */
export const CHECKPOINT_NAMES = {
  highWatermark: 'replication-offset-checkpoint',
  recoveryPoint: 'recovery-point-offset-checkpoint',
  logStart: 'log-start-offset-checkpoint',
  firstDirty: 'cleaner-offset-checkpoint',
} as const satisfies Record<keyof LogCheckpoint, string>;

const MEANINGS = Object.keys(CHECKPOINT_NAMES) as (keyof LogCheckpoint)[];
const LINE = /^(\S+) (\d+) (\d+)$/;

/**
 * By topicPartitionKey. The files are replaced whole, so a bad one is damage: `handleDamage` hears of it, and its offsets
 * count as never saved. Without it,
 *
 *   high watermark    begins at the log start, and the leader tells it anew;
 *   recovery point    all segments but the last are held to be whole, as they always are; the last one may be cut at its
 *                     first bad batch, though that was synced;
 *   log start         is where the first segment begins: records that were deleted below the old one are seen again;
 *   first dirty       the log is compacted from its start again.
 */
export async function readCheckpoints(
  files: Files,
  directory: string,
  handleDamage: (error: CorruptionError) => void,
): Promise<Map<string, LogCheckpoint>> {
  const found = new Map<string, LogCheckpoint>();
  for (const meaning of MEANINGS) {
    const path = `${directory}/${CHECKPOINT_NAMES[meaning]}`;
    const bytes = await readWholeFile(files, path);
    if (bytes === undefined) continue;
    for (const { topic, partition, offset } of decodeOrNothing(bytes, path, handleDamage)) {
      const key = topicPartitionKey(topic, partition);
      found.set(key, { ...(found.get(key) ?? NO_CHECKPOINT), [meaning]: offset });
    }
  }
  return found;
}

function decodeOrNothing(
  bytes: Buffer,
  path: string,
  handleDamage: (error: CorruptionError) => void,
): OffsetCheckpointLine[] {
  try {
    return decodeOffsetCheckpoint(bytes, path);
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    handleDamage(error);
    return [];
  }
}

export interface OffsetCheckpointLine {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly offset: Offset;
}

/** The lines of one file. Throws CorruptionError; `path` is for its message. */
export function decodeOffsetCheckpoint(bytes: Buffer, path: string): OffsetCheckpointLine[] {
  // Kafka makes the cleaner's file empty; without it everything counts as dirty, which is always right.
  if (bytes.length === 0 && path.endsWith(CHECKPOINT_NAMES.firstDirty)) return [];
  return decodeCheckpoint(bytes, path).map((line) => {
    const [, topic = '', partition, text] = LINE.exec(line) ?? [];
    const offset: Offset = Number(text);
    if (!Number.isSafeInteger(offset))
      throw new CorruptionError(path, 0, 'lines of topic, partition, offset', JSON.stringify(line));
    return { topic, partition: Number(partition), offset };
  });
}

export type CheckpointMeaning = (typeof MEANINGS)[number];

/** The files that say something else than they did; all when it is not known what they say. */
export function changedCheckpoints(
  before: ReadonlyMap<string, LogCheckpoint> | undefined,
  after: ReadonlyMap<string, LogCheckpoint>,
): readonly CheckpointMeaning[] {
  if (before?.size !== after.size) return MEANINGS;
  const changed = new Set<CheckpointMeaning>();
  for (const [key, checkpoint] of after) {
    const known = before.get(key);
    if (known === undefined) return MEANINGS;
    for (const meaning of MEANINGS) if (known[meaning] !== checkpoint[meaning]) changed.add(meaning);
  }
  return [...changed];
}

/** `logs` with their checkpoints, by topicPartitionKey; each of the files is replaced whole. */
export async function saveCheckpoints(
  files: Files,
  directory: string,
  logs: Iterable<{ readonly topic: string; readonly partition: PartitionId }>,
  checkpoints: ReadonlyMap<string, LogCheckpoint>,
  meanings: readonly CheckpointMeaning[] = MEANINGS,
): Promise<void> {
  const named = [...logs];
  for (const meaning of meanings) {
    const lines = named.map(({ topic, partition }) => {
      const checkpoint = checkpoints.get(topicPartitionKey(topic, partition)) ?? NO_CHECKPOINT;
      return `${topic} ${partition} ${checkpoint[meaning]}`;
    });
    await replaceFile(files, `${directory}/${CHECKPOINT_NAMES[meaning]}`, encodeCheckpoint(lines));
  }
}
