import { CorruptionError, isUuid, type Uuid } from '../../base/index.ts';
import { type Files, readWholeFile, replaceFile } from '../../env/index.ts';
import { checksum } from './checkpoint-file.ts';

export const PARTITION_METADATA = 'partition.metadata';
const TEXT = /^(version: 0\ntopic_id: (\S+)\n?)(?:crc32c: ([0-9a-f]{8})\n)?$/;

/**
 * Which topic a log directory belongs to: names return, ids never do (KIP-516). With a checksum, which Kafka does not write
 * and passes over: under a wrong id the log would be taken for that of a topic that is gone.
 */
export function savePartitionMetadata(files: Files, directory: string, topicId: Uuid): Promise<void> {
  return replaceFile(files, `${directory}/${PARTITION_METADATA}`, encodePartitionMetadata(topicId));
}

/** undefined: the directory was never finished. Throws CorruptionError. */
export async function readPartitionMetadata(files: Files, directory: string): Promise<Uuid | undefined> {
  const path = `${directory}/${PARTITION_METADATA}`;
  const bytes = await readWholeFile(files, path);
  if (bytes === undefined) return undefined;
  return decodePartitionMetadata(bytes, path);
}

export function encodePartitionMetadata(topicId: Uuid): Buffer {
  const text = `version: 0\ntopic_id: ${topicId}\n`;
  return Buffer.from(`${text}crc32c: ${checksum(text)}\n`);
}

/** The topic id in a file. Throws CorruptionError; `path` is for its message. */
export function decodePartitionMetadata(bytes: Buffer, path: string): Uuid {
  const [, text = '', topicId = '', stored] = TEXT.exec(bytes.toString()) ?? [];
  if (!isUuid(topicId) || (stored !== undefined && stored !== checksum(text)))
    throw new CorruptionError(
      path,
      0,
      'a version, a topic id and their checksum',
      JSON.stringify(bytes.toString().slice(0, 80)),
    );
  return topicId;
}
