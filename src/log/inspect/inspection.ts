import type { LogFileKind } from './file-kinds.ts';

/** What looking at a file gives, one at a time: data for a printer, which knows no format. */
export type Inspection = FileStart | Row | Note | Finding;

export interface FileStart {
  readonly kind: 'file';
  readonly file: string;
  readonly fileKind: LogFileKind;
  readonly sizeBytes: number;
}

/** One thing that the file holds. Names and order are those of kafka-dump-log where it prints the same. */
export interface Row {
  readonly kind: 'row';
  readonly file: string;
  readonly type: RowType;
  readonly fields: Fields;
}

export type RowType =
  | 'batch'
  /** Of the batch before it, when records were asked for. */
  | 'record'
  | 'offset_index_entry'
  | 'time_index_entry'
  | 'producer'
  | 'leader_epoch'
  | 'offset'
  | 'partition_metadata'
  | 'meta_properties'
  | 'clean_shutdown'
  | 'summary';

export type Fields = Readonly<Record<string, FieldValue>>;
export type FieldValue = string | number | boolean | null | readonly string[];

/** Nothing wrong, but worth knowing: a tail that is being written, a file without an index. */
export interface Note {
  readonly kind: 'note';
  readonly file: string;
  readonly position: number;
  readonly text: string;
}

/** Something wrong. */
export interface Finding {
  readonly kind: 'finding';
  readonly file: string;
  readonly position: number;
  readonly expected: string;
  readonly found: string;
}
