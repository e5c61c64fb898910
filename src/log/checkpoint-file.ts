/**
 * Small text files that are replaced whole: written aside, synced, renamed, directory synced. A reader
 * meets the old or the new text, never a mixture.
 *
 *   0 \n <count> \n { line \n }*       Kafka's checkpoint format: the first line is the version
 */
import { CorruptionError } from '../base/index.ts';
import type { Files } from '../env/index.ts';

const VERSION = '0';
const TEXT_BYTES_MAX = 64 * 1024 * 1024;

export async function replaceFile(
  files: Files,
  directory: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const path = `${directory}/${name}`;
  const handle = await files.open(`${path}.tmp`, 'create');
  try {
    await handle.truncate(0);
    await handle.write([bytes], 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await files.rename(`${path}.tmp`, path);
  await files.syncDirectory(directory);
}

/** undefined: there is no such file. */
export async function readWholeFile(files: Files, path: string): Promise<Buffer | undefined> {
  const stat = await files.stat(path);
  if (stat === undefined || stat.kind !== 'file') return undefined;
  if (stat.sizeBytes > TEXT_BYTES_MAX)
    throw new CorruptionError(path, TEXT_BYTES_MAX, `at most ${TEXT_BYTES_MAX} bytes`, `${stat.sizeBytes}`);
  const handle = await files.open(path, 'read');
  try {
    const bytes = Buffer.alloc(stat.sizeBytes);
    const count = await handle.read(bytes, 0);
    return bytes.subarray(0, count);
  } finally {
    await handle.close();
  }
}

export function encodeCheckpoint(lines: readonly string[]): Buffer {
  return Buffer.from([VERSION, String(lines.length), ...lines, ''].join('\n'));
}

/** The lines after version and count. Throws CorruptionError; `file` is for its message. */
export function decodeCheckpoint(bytes: Buffer, file: string): string[] {
  const [version, count, ...lines] = bytes.toString().split('\n');
  if (version !== VERSION) throw new CorruptionError(file, 0, `version ${VERSION}`, JSON.stringify(version));
  if (lines.pop() !== '') throw new CorruptionError(file, bytes.length, 'a line end', 'the end of the file');
  if (count !== String(lines.length))
    throw new CorruptionError(file, VERSION.length + 1, `${count} lines`, `${lines.length}`);
  return lines;
}
