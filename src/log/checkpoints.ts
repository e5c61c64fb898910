import { CorruptionError, type Offset, type PartitionId, topicPartitionKey } from '../base/index.ts';
import { type Files, readWholeFile, replaceFile } from '../env/index.ts';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint-file.ts';
import { type LogCheckpoint, NO_CHECKPOINT } from './log-checkpoint.ts';

/**
 * Offsets of all logs of a directory, one file per meaning: `<topic> <partition> <offset>` per line.
 * Source: Kafka's OffsetCheckpointFile.
 */
const FILE_NAMES = {
  highWatermark: 'replication-offset-checkpoint',
  recoveryPoint: 'recovery-point-offset-checkpoint',
  logStart: 'log-start-offset-checkpoint',
} as const satisfies Record<keyof LogCheckpoint, string>;

const MEANINGS = Object.keys(FILE_NAMES) as (keyof LogCheckpoint)[];
const LINE = /^(\S+) (\d+) (\d+)$/;

/** By topicPartitionKey. Throws CorruptionError: the files are replaced whole, so a bad one is damage. */
export async function readCheckpoints(files: Files, directory: string): Promise<Map<string, LogCheckpoint>> {
  const found = new Map<string, LogCheckpoint>();
  for (const meaning of MEANINGS) {
    const path = `${directory}/${FILE_NAMES[meaning]}`;
    const bytes = await readWholeFile(files, path);
    if (bytes === undefined) continue;
    for (const line of decodeCheckpoint(bytes, path)) {
      const [, topic = '', partition, text] = LINE.exec(line) ?? [];
      const offset: Offset = Number(text);
      if (!Number.isSafeInteger(offset))
        throw new CorruptionError(path, 0, 'lines of topic, partition, offset', JSON.stringify(line));
      const key = topicPartitionKey(topic, Number(partition));
      found.set(key, { ...(found.get(key) ?? NO_CHECKPOINT), [meaning]: offset });
    }
  }
  return found;
}

/** `logs` with their checkpoints, by topicPartitionKey; each file is replaced whole. */
export async function saveCheckpoints(
  files: Files,
  directory: string,
  logs: Iterable<{ readonly topic: string; readonly partition: PartitionId }>,
  checkpoints: ReadonlyMap<string, LogCheckpoint>,
): Promise<void> {
  const named = [...logs];
  for (const meaning of MEANINGS) {
    const lines = named.map(({ topic, partition }) => {
      const checkpoint = checkpoints.get(topicPartitionKey(topic, partition)) ?? NO_CHECKPOINT;
      return `${topic} ${partition} ${checkpoint[meaning]}`;
    });
    await replaceFile(files, `${directory}/${FILE_NAMES[meaning]}`, encodeCheckpoint(lines));
  }
}
