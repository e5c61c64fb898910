/**
 * Kafka's checkpoint format with a checksum, a small text:
 *
 *   1 \n <count> \n { line \n }* crc32c <8 hex digits of everything before this line> \n
 *
 * The first line is the version. Version 0, which Kafka writes, ends before the checksum; it is read as well, so that Kafka's
 * files can be taken over. But a wrong digit in an offset is still an offset, and a high watermark that is too high shows
 * records that may be lost.
 */
import { CorruptionError, crc32c } from '../../base/index.ts';

const VERSION = '1';
const KAFKA_VERSION = '0';
const CRC_LINE = /^crc32c ([0-9a-f]{8})$/;

export function encodeCheckpoint(lines: readonly string[]): Buffer {
  const text = [VERSION, String(lines.length), ...lines, ''].join('\n');
  return Buffer.from(`${text}crc32c ${checksum(text)}\n`);
}

/** The lines after version and count. Throws CorruptionError; `file` is for its message. */
export function decodeCheckpoint(bytes: Buffer, file: string): string[] {
  const text = bytes.toString();
  const [version, count, ...lines] = text.split('\n');
  if (version !== VERSION && version !== KAFKA_VERSION)
    throw new CorruptionError(file, 0, `version ${VERSION}`, JSON.stringify(version));
  if (lines.pop() !== '') throw new CorruptionError(file, bytes.length, 'a line end', 'the end of the file');
  if (version === VERSION) assertChecksum(text, lines, file);
  if (count !== String(lines.length))
    throw new CorruptionError(file, VERSION.length + 1, `${count} lines`, `${lines.length}`);
  return lines;
}

/** Takes the line of the checksum away. */
function assertChecksum(text: string, lines: string[], file: string): void {
  const last = lines.pop() ?? '';
  const covered = text.length - last.length - 1;
  const computed = checksum(text.slice(0, covered));
  if (CRC_LINE.exec(last)?.[1] === computed) return;
  throw new CorruptionError(file, covered, `crc32c ${computed}`, JSON.stringify(last));
}

/** As 8 hex digits. */
export function checksum(text: string): string {
  return crc32c(Buffer.from(text)).toString(16).padStart(8, '0');
}
