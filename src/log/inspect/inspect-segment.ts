import type { Offset } from '../../base/index.ts';
import { type FileHandle, type Files, parentDirectory } from '../../env/index.ts';
import type { BatchHeader, RecordCursor } from '../record/index.ts';
import { batchFields, recordFields } from './batch-fields.ts';
import { BatchChecker, type Mismatch } from './check-batches.ts';
import { findLogFileKind } from './file-kinds.ts';
import { listOrNothing } from './find-log-files.ts';
import type { Finding, Inspection, Note, Row } from './inspection.ts';
import { type SegmentStep, walkSegment } from './walk-segment.ts';

export interface SegmentOptions {
  /** Decode records and hand them out behind their batch. */
  readonly records?: boolean;
  /** Decode all records and check all that can be checked; a summary follows. */
  readonly deep?: boolean;
  /** Hold both indexes against the batches, and hand out no batches. */
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
  let endPosition = 0;
  for await (const step of walkSegment(handle)) {
    if (step.kind === 'batch') {
      yield* inspectBatch(handle.path, step, checker, options);
      endPosition = step.position + step.bytes.length;
    } else yield await sayEnd(files, handle.path, baseOffset, step);
  }
  if (options.deep !== true) return;
  const { batches, records, nextOffset } = checker;
  const fields = { batches, records, baseOffset, nextOffset, size: endPosition };
  yield { kind: 'row', file: handle.path, type: 'summary', fields };
}

function* inspectBatch(
  file: string,
  { header, position, bytes }: SegmentStep & { kind: 'batch' },
  checker: BatchChecker,
  options: SegmentOptions,
): Generator<Row | Finding> {
  const { isValid, mismatches } = checker.check(bytes, header);
  const fields = { ...batchFields(header), position, isvalid: isValid };
  if (options.verifyIndex !== true) yield { kind: 'row', file, type: 'batch', fields };
  const isOpened = isValid && (options.deep === true || options.records === true);
  const wrong = isOpened
    ? yield* inspectRecords(file, checker.recordsOf(bytes, header), header, options)
    : [];
  for (const mismatch of [...mismatches, ...wrong]) yield { kind: 'finding', file, position, ...mismatch };
}

/** One by one: a batch of a few KB may hold millions. Returns what is wrong with them. */
function* inspectRecords(
  file: string,
  records: Generator<RecordCursor, readonly Mismatch[]>,
  header: BatchHeader,
  options: SegmentOptions,
): Generator<Row, readonly Mismatch[]> {
  for (;;) {
    const { done, value } = records.next();
    if (done === true) return value;
    if (options.records === true)
      yield { kind: 'row', file, type: 'record', fields: recordFields(value, header) };
  }
}

/** The file ends, or goes on, with what is no whole batch. */
export async function sayEnd(
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
  if (await isFollowed(files, file, baseOffset)) {
    const expected = `${wantedBytes} bytes of a batch`;
    return { kind: 'finding', file, position, expected, found: `${leftBytes}` };
  }
  const text =
    `incomplete batch at position ${position}, ${leftBytes} of ${wantedBytes} bytes ` +
    '(the log is being written, or was torn)';
  return { kind: 'note', file, position, text };
}

/** Only the last segment of a log may end inside a batch. */
async function isFollowed(files: Files, file: string, baseOffset: Offset): Promise<boolean> {
  const names = await listOrNothing(files, parentDirectory(file));
  return names.some((name) => {
    const other = findLogFileKind(name);
    return name.endsWith('.log') && other?.kind === 'segment' && other.baseOffset > baseOffset;
  });
}
