/**
 * The lines of a byte stream, without their '\n', byte for byte: nothing is decoded. A last line without '\n' counts.
 * Lines come in groups, as they lie together in a chunk, so that a million of them cost a few promises.
 */
import { toBuffer } from '../base/index.ts';

const NEWLINE = 0x0a;
/** A longer line is no line. */
export const LINE_BYTES_MAX = 64 * 1024 * 1024;

export async function* readLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const bytes of source) {
    const chunk = toBuffer(bytes);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const tail = chunk.subarray(start, end);
      lines.push(rest.length === 0 ? tail : Buffer.concat([...rest, tail]));
      rest = [];
      restBytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      restBytes += chunk.length - start;
    }
    if (restBytes > LINE_BYTES_MAX) throw new RangeError(`a line is longer than ${LINE_BYTES_MAX} bytes`);
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [Buffer.concat(rest)];
}
