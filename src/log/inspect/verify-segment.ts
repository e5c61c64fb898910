/**
 * Holds both indexes of a segment against its batches, of which only the headers are read.
 *
 * A broker that compacts may put another file in the place of the one that is being read, after indexes of its own. So
 * what differs is looked at again, all three files opened anew, and counts when it is there twice and nothing waits to
 * take the place.
 */
import { EnvironmentError, type Offset } from '../../base/index.ts';
import { type FileHandle, type Files, readWholeFile } from '../../env/index.ts';
import { decodeOffsetEntries, OFFSET_ENTRY_BYTES } from '../segment/offset-index.ts';
import { decodeTimeEntries, TIME_ENTRY_BYTES } from '../segment/time-index.ts';
import { siblingOf } from './find-log-files.ts';
import { sayEnd } from './inspect-segment.ts';
import type { Inspection } from './inspection.ts';
import { type IndexMismatch, OffsetIndexVerifier, TimeIndexVerifier } from './verify-index.ts';
import { walkSegment } from './walk-segment.ts';

/** A segment that is still being replaced then is left to a quieter hour. */
const LOOKS_MAX = 5;

/** Findings and a summary per index, or a note why there is none. */
export async function verifySegment(
  files: Files,
  logPath: string,
  baseOffset: Offset,
): Promise<readonly Inspection[]> {
  let before: string | undefined;
  for (let look = 0; look < LOOKS_MAX; look++) {
    const isBeingReplaced = (await files.stat(`${logPath}.swap`)) !== undefined;
    const found = await lookOnce(files, logPath, baseOffset);
    if (!found.some(({ kind }) => kind === 'finding')) return found;
    const now = JSON.stringify(found);
    if (now === before && !isBeingReplaced) return found;
    before = isBeingReplaced ? undefined : now;
  }
  return [{ kind: 'note', file: logPath, position: 0, text: 'it is being replaced: look again later' }];
}

async function lookOnce(files: Files, logPath: string, baseOffset: Offset): Promise<Inspection[]> {
  const handle = await openOrNothing(files, logPath);
  if (handle === undefined) return [{ kind: 'note', file: logPath, position: 0, text: GONE }];
  try {
    return await compare(files, handle, baseOffset);
  } finally {
    await handle.close();
  }
}

export const GONE = 'the file is gone: its log was cut, compacted or removed';

/** undefined: there is no such file any more. */
export async function openOrNothing(files: Files, path: string): Promise<FileHandle | undefined> {
  try {
    return await files.open(path, 'read');
  } catch (error) {
    if (error instanceof EnvironmentError && error.reason === 'not-found') return undefined;
    throw error;
  }
}

async function compare(files: Files, log: FileHandle, baseOffset: Offset): Promise<Inspection[]> {
  const [offsetPath, timePath] = [siblingOf(log.path, 'index'), siblingOf(log.path, 'timeindex')];
  const offsetBytes = await readWholeFile(files, offsetPath);
  const timeBytes = await readWholeFile(files, timePath);
  const offsets =
    offsetBytes &&
    new OffsetIndexVerifier(decodeOffsetEntries(offsetBytes, baseOffset, offsetPath), OFFSET_ENTRY_BYTES);
  const times =
    timeBytes && new TimeIndexVerifier(decodeTimeEntries(timeBytes, baseOffset, timePath), TIME_ENTRY_BYTES);
  const found: Inspection[] = [];
  let end = { position: 0, offset: baseOffset };
  for await (const step of walkSegment(log)) {
    if (step.kind !== 'batch') {
      found.push(await sayEnd(files, log.path, baseOffset, step));
      continue;
    }
    const { header, position } = step;
    offsets?.note(header, position);
    times?.note(header);
    end = { position: position + header.sizeBytes, offset: header.lastOffset + 1 };
  }
  return [...found, ...say(offsetPath, offsets?.end(end.position)), ...say(timePath, times?.end(end.offset))];
}

function say(
  file: string,
  end: { readonly entries: number; readonly mismatches: readonly IndexMismatch[] } | undefined,
): Inspection[] {
  if (end === undefined) {
    const text = 'there is no such file (the active segment has none; others get it at the next start)';
    return [{ kind: 'note', file, position: 0, text }];
  }
  const { entries, mismatches } = end;
  return [
    ...mismatches.map((mismatch): Inspection => ({ kind: 'finding', file, ...mismatch })),
    { kind: 'row', file, type: 'summary', fields: { entries, mismatches: mismatches.length } },
  ];
}
