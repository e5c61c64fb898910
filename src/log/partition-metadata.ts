import { CorruptionError, isUuid, type Uuid } from '../base/index.ts';
import { type Files, readWholeFile, replaceFile } from '../env/index.ts';

export const PARTITION_METADATA = 'partition.metadata';
const TEXT = /^version: 0\ntopic_id: (\S+)\n?$/;

/** Which topic a log directory belongs to: names return, ids never do (KIP-516). */
export function savePartitionMetadata(files: Files, directory: string, topicId: Uuid): Promise<void> {
  return replaceFile(
    files,
    `${directory}/${PARTITION_METADATA}`,
    Buffer.from(`version: 0\ntopic_id: ${topicId}`),
  );
}

/** undefined: the directory was never finished. Throws CorruptionError. */
export async function readPartitionMetadata(files: Files, directory: string): Promise<Uuid | undefined> {
  const path = `${directory}/${PARTITION_METADATA}`;
  const bytes = await readWholeFile(files, path);
  if (bytes === undefined) return undefined;
  return decodePartitionMetadata(bytes, path);
}

/** The topic id in a file. Throws CorruptionError; `path` is for its message. */
export function decodePartitionMetadata(bytes: Buffer, path: string): Uuid {
  const topicId = TEXT.exec(bytes.toString())?.[1];
  if (topicId === undefined || !isUuid(topicId))
    throw new CorruptionError(
      path,
      0,
      'a version and a topic id',
      JSON.stringify(bytes.toString().slice(0, 80)),
    );
  return topicId;
}
