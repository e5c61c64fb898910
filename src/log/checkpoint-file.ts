/**
 * Kafka's checkpoint format, a small text: `0 \n <count> \n { line \n }*`; the first line is the version.
 */
import { CorruptionError } from '../base/index.ts';

const VERSION = '0';

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
