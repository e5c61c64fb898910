/** The files of a log, looked at by a person: what they hold, and whether it is as it must be. Reads only. */
export { findLogFileKind, LOG_FILE_KINDS, type LogFileKind, type LogFileName } from './file-kinds.ts';
export { findLogFiles, segmentsOf } from './find-log-files.ts';
export { inspectLogFile } from './inspect-file.ts';
export type { SegmentOptions } from './inspect-segment.ts';
export type { Fields, FieldValue, FileStart, Finding, Inspection, Note, Row, RowType } from './inspection.ts';
