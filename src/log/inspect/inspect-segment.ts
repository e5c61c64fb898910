import type { Offset } from '../../base/index.ts';
import { type FileHandle, type Files, parentDirectory, readWholeFile } from '../../env/index.ts';
import { decodeOffsetEntries, OFFSET_ENTRY_BYTES } from '../offset-index.ts';
import { decodeTimeEntries, TIME_ENTRY_BYTES } from '../time-index.ts';
import { batchFields, recordFields } from './batch-fields.ts';
import { BatchChecker } from './check-batches.ts';
import { findLogFileKind } from './file-kinds.ts';
import { siblingOf } from './find-log-files.ts';
import type { Finding, Inspection, Note, Row } from './inspection.ts';
import { type IndexMismatch, OffsetIndexVerifier, TimeIndexVerifier } from './verify-index.ts';
import { type SegmentStep, walkSegment } from './walk-segment.ts';

export interface SegmentOptions {
  /** Decode records and hand them out with their batch. */
  readonly records?: boolean;
  /** Decode all records and check all that can be checked; a summary follows. */
  readonly deep?: boolean;
  /** Hold both indexes against the batches, and hand out nothing else. */
  readonly verifyIndex?: boolean;
}

/** Looks at an open `.log` file. Takes no lock and changes nothing: its broker may be appending to it. */
export async function* inspectSegment(
  files: Files,
  handle: FileHandle,
  baseOffset: Offset,
  options: SegmentOptions,
): AsyncGenerator<Inspection> {
  const checker = new BatchChecker(baseOffset, { deep: options.deep === true });
  const indexes =
    options.verifyIndex === true ? await openIndexes(files, handle.path, baseOffset) : undefined;
  let endPosition = 0;
  for await (const step of walkSegment(handle)) {
    if (step.kind === 'batch') {
      yield* inspectBatch(handle.path, step, checker, options);
      indexes?.offsets?.note(step.header, step.position);
      indexes?.times?.note(step.header);
      endPosition = step.position + step.bytes.length;
    } else yield await sayEnd(files, handle.path, baseOffset, step);
  }
  if (indexes !== undefined) {
    if (await wasReplaced(files, handle.path, endPosition)) yield replacedNote(handle.path);
    else yield* endIndexes(handle.path, indexes, endPosition, checker.nextOffset);
  }
  if (options.deep === true) {
    const { batches, records, nextOffset } = checker;
    const fields = { batches, records, baseOffset, nextOffset, size: endPosition };
    yield { kind: 'row', file: handle.path, type: 'summary', fields };
  }
}

function* inspectBatch(
  file: string,
  { header, position, bytes }: SegmentStep & { kind: 'batch' },
  checker: BatchChecker,
  options: SegmentOptions,
): Generator<Row | Finding> {
  const { isValid, records, mismatches } = checker.check(bytes, header, { decode: options.records === true });
  if (options.verifyIndex !== true)
    yield {
      kind: 'row',
      file,
      type: 'batch',
      fields: { ...batchFields(header), position, isvalid: isValid },
      ...(options.records === true
        ? { records: records.map((record) => recordFields(record, header, bytes)) }
        : {}),
    };
  for (const mismatch of mismatches) yield { kind: 'finding', file, position, ...mismatch };
}

/** The file ends, or goes on, with what is no whole batch. */
async function sayEnd(
  files: Files,
  file: string,
  baseOffset: Offset,
  step: Exclude<SegmentStep, { kind: 'batch' }>,
): Promise<Note | Finding> {
  if (step.kind === 'damage') {
    const { position, expected, found } = step;
    return { kind: 'finding', file, position, expected, found };
  }
  const { position, wantedBytes, leftBytes } = step;
  if (await isFollowed(files, file, baseOffset))
    return {
      kind: 'finding',
      file,
      position,
      expected: `${wantedBytes} bytes of a batch`,
      found: `${leftBytes}`,
    };
  const text =
    `incomplete batch at position ${position}, ${leftBytes} of ${wantedBytes} bytes ` +
    '(the log is being written, or was torn)';
  return { kind: 'note', file, position, text };
}

/** Only the last segment of a log may end inside a batch. */
async function isFollowed(files: Files, file: string, baseOffset: Offset): Promise<boolean> {
  const names = await files.list(parentDirectory(file));
  return names.some((name) => {
    const other = findLogFileKind(name);
    return name.endsWith('.log') && other?.kind === 'segment' && other.baseOffset > baseOffset;
  });
}

/** Compaction put a smaller file in its place, with indexes of its own: those that were read may be of either. */
async function wasReplaced(files: Files, file: string, endPosition: number): Promise<boolean> {
  return ((await files.stat(file))?.sizeBytes ?? 0) < endPosition;
}

function replacedNote(file: string): Note {
  return { kind: 'note', file, position: 0, text: 'it was replaced or removed meanwhile: look again' };
}

interface Indexes {
  readonly offsets: OffsetIndexVerifier | undefined;
  readonly times: TimeIndexVerifier | undefined;
}

async function openIndexes(files: Files, logPath: string, baseOffset: Offset): Promise<Indexes> {
  const [offsetPath, timePath] = [siblingOf(logPath, 'index'), siblingOf(logPath, 'timeindex')];
  const offsetBytes = await readWholeFile(files, offsetPath);
  const timeBytes = await readWholeFile(files, timePath);
  return {
    offsets:
      offsetBytes &&
      new OffsetIndexVerifier(decodeOffsetEntries(offsetBytes, baseOffset, offsetPath), OFFSET_ENTRY_BYTES),
    times:
      timeBytes &&
      new TimeIndexVerifier(decodeTimeEntries(timeBytes, baseOffset, timePath), TIME_ENTRY_BYTES),
  };
}

function* endIndexes(
  logPath: string,
  { offsets, times }: Indexes,
  endPosition: number,
  endOffset: Offset,
): Generator<Inspection> {
  yield* endIndex(siblingOf(logPath, 'index'), offsets?.end(endPosition));
  yield* endIndex(siblingOf(logPath, 'timeindex'), times?.end(endOffset));
}

function* endIndex(
  file: string,
  end: { readonly entries: number; readonly mismatches: readonly IndexMismatch[] } | undefined,
): Generator<Inspection> {
  if (end === undefined) {
    const text = 'there is no such file (the active segment has none; others get it at the next start)';
    yield { kind: 'note', file, position: 0, text };
    return;
  }
  for (const mismatch of end.mismatches) yield { kind: 'finding', file, ...mismatch };
  const fields = { entries: end.entries, mismatches: end.mismatches.length };
  yield { kind: 'row', file, type: 'summary', fields };
}
