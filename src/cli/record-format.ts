/** How `quorate consume` shows a record: a template, the `--print-…` fields before the value, or JSON. */
import type { ConsumedRecord } from '../client/index.ts';

export interface RecordFormat {
  readonly json?: boolean;
  readonly format?: string;
  readonly printKey?: boolean;
  readonly printOffset?: boolean;
  readonly printPartition?: boolean;
  readonly printTimestamp?: boolean;
  readonly printHeaders?: boolean;
}

type Formatter = (record: ConsumedRecord, into: Uint8Array[]) => void;

const NEWLINE = Buffer.from('\n');
const TAB = Buffer.from('\t');
const NULL = Buffer.from('null');

export function formatterOf(options: RecordFormat): Formatter {
  if (options.json) return json;
  if (options.format !== undefined) return template(options.format);
  const fields = chosenFields(options);
  return (record, into) => {
    for (const field of fields) into.push(field(record), TAB);
    into.push(record.value ?? NULL, NEWLINE);
  };
}

type Field = (record: ConsumedRecord) => Uint8Array;

/** In the order Kafka's console consumer prints them. */
function chosenFields(options: RecordFormat): Field[] {
  const fields: Field[] = [];
  if (options.printTimestamp) fields.push((record) => Buffer.from(`CreateTime:${record.timestampMs}`));
  if (options.printPartition) fields.push((record) => Buffer.from(`Partition:${record.partition}`));
  if (options.printOffset) fields.push((record) => Buffer.from(`Offset:${record.offset}`));
  if (options.printHeaders) fields.push((record) => Buffer.from(headersText(record)));
  if (options.printKey) fields.push((record) => record.key ?? NULL);
  return fields;
}

const PLACEHOLDERS: Readonly<Record<string, Field>> = {
  t: (record) => Buffer.from(record.topic),
  p: (record) => Buffer.from(String(record.partition)),
  o: (record) => Buffer.from(String(record.offset)),
  T: (record) => Buffer.from(String(record.timestampMs)),
  k: (record) => record.key ?? NULL,
  v: (record) => record.value ?? NULL,
  h: (record) => Buffer.from(headersText(record)),
  '%': () => Buffer.from('%'),
};

function template(text: string): Formatter {
  const unescaped = text.replaceAll('\\n', '\n').replaceAll('\\t', '\t');
  const parts = unescaped.split(/(%[tpoTkvh%])/).filter((part) => part !== '');
  const fields = parts.map((part): Field => {
    const field = part.startsWith('%') && part.length === 2 ? PLACEHOLDERS[part[1] ?? ''] : undefined;
    const literal = Buffer.from(part);
    return field ?? (() => literal);
  });
  return (record, into) => {
    for (const field of fields) into.push(field(record));
  };
}

function json(record: ConsumedRecord, into: Uint8Array[]): void {
  const object = {
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    timestamp_ms: record.timestampMs,
    key: record.key?.toString() ?? null,
    value: record.value?.toString() ?? null,
    headers: record.headers.map(({ key, value }) => ({ key, value: value?.toString() ?? null })),
  };
  into.push(Buffer.from(`${JSON.stringify(object)}\n`));
}

function headersText(record: ConsumedRecord): string {
  if (record.headers.length === 0) return 'NO_HEADERS';
  return record.headers.map(({ key, value }) => `${key}:${value?.toString() ?? 'null'}`).join(',');
}
