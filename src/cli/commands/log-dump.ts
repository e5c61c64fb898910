/** Shows what a segment file holds, in the manner of kafka-dump-log. Reads only, a batch at a time, also of a live broker. */
import type { Command } from 'commander';
import { CorruptionError, StartupError } from '../../base/index.ts';
import type { FileHandle } from '../../env/index.ts';
import { nodeFiles } from '../../env/node/index.ts';
import {
  BATCH_HEADER_BYTES,
  type BatchHeader,
  type DecodedRecord,
  decodeRecords,
  readBatchHeader,
  validateBatch,
} from '../../log/record/index.ts';
import { fail, printJson, printLine } from '../output.ts';

/** A batch that claims to be larger is taken for damage: no broker stores such. */
const BATCH_BYTES_MAX = 2 ** 30;

interface DumpOptions {
  readonly records?: boolean;
  readonly json?: boolean;
}

export function defineLog(group: Command): void {
  group
    .command('dump <file>')
    .description('print the batches of a .log file')
    .option('--records', 'print the records too')
    .option('--json', 'one JSON object a line')
    .action(async (path: string, options: DumpOptions) => {
      try {
        await dump(path, options);
      } catch (error) {
        fail(error, options.json === true);
      }
    });
}

async function dump(path: string, options: DumpOptions): Promise<void> {
  if (!path.endsWith('.log')) throw new StartupError(`${path} is not a .log file`);
  const file = await nodeFiles().open(path, 'read');
  try {
    const sizeBytes = await file.sizeBytes();
    if (!options.json) printLine(`Dumping ${path} (${sizeBytes} bytes)`);
    for (let position = 0; position < sizeBytes; ) {
      const batch = await readBatch(file, position, sizeBytes);
      printBatch(batch, position, options);
      position += batch.length;
    }
  } finally {
    await file.close();
  }
}

async function readBatch(file: FileHandle, position: number, fileBytes: number): Promise<Uint8Array> {
  const head = new Uint8Array(BATCH_HEADER_BYTES);
  const left = fileBytes - position;
  if (left < BATCH_HEADER_BYTES || (await file.read(head, position)) < BATCH_HEADER_BYTES)
    throw new CorruptionError(file.path, position, 'a batch header', `${left} bytes`);
  const { sizeBytes } = readBatchHeader(head);
  if (sizeBytes < BATCH_HEADER_BYTES || sizeBytes > Math.min(left, BATCH_BYTES_MAX))
    throw new CorruptionError(
      file.path,
      position,
      'a whole batch',
      `a size of ${sizeBytes} of ${left} bytes left`,
    );
  const batch = new Uint8Array(sizeBytes);
  await file.read(batch, position);
  return batch;
}

function printBatch(batch: Uint8Array, position: number, options: DumpOptions): void {
  const header = readBatchHeader(batch);
  const problem = validateBatch(batch);
  const records = options.records && problem === undefined ? decodeRecords(batch) : [];
  if (options.json) {
    const shown = records.map((record) => snakeCase(recordFields(record)));
    printJson({
      position,
      ...snakeCase(batchFields(header)),
      is_valid: problem === undefined,
      ...(options.records ? { records: shown } : {}),
    });
    return;
  }
  const fields = Object.entries({ ...batchFields(header), position, isvalid: problem === undefined });
  printLine(fields.map(([name, value]) => `${name}: ${value}`).join(' '));
  if (problem !== undefined) printLine(`  ${problem.message}`);
  for (const record of records)
    printLine(
      `| ${Object.entries(recordFields(record))
        .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`)
        .join(' ')}`,
    );
}

/** Names as kafka-dump-log prints them. */
function batchFields(header: BatchHeader): Record<string, string | number | boolean> {
  return {
    baseOffset: header.baseOffset,
    lastOffset: header.lastOffset,
    count: header.count,
    baseSequence: header.baseSequence,
    lastSequence: header.baseSequence < 0 ? -1 : (header.baseSequence + header.lastOffsetDelta) % 2 ** 31,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    partitionLeaderEpoch: header.leaderEpoch,
    isTransactional: header.isTransactional,
    isControl: header.isControl,
    timestampType: header.timestampType,
    maxTimestamp: header.maxTimestamp,
    size: header.sizeBytes,
    magic: header.magic,
    compresscodec: header.codec ?? 'unknown',
    crc: header.crc,
  };
}

/** For JSON, where names are as in the .proto files. */
function snakeCase(fields: Record<string, unknown>): Record<string, unknown> {
  const named = (name: string): string =>
    name.replace(/[a-z][A-Z]/g, ([a = '', b = '']) => `${a}_${b}`).toLowerCase();
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [named(name), value]));
}

function recordFields(record: DecodedRecord): Record<string, unknown> {
  const text = (bytes: Uint8Array | undefined): string | null =>
    bytes === undefined ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  return {
    offset: record.offset,
    CreateTime: record.timestampMs,
    keySize: record.key?.length ?? -1,
    valueSize: record.value?.length ?? -1,
    headerKeys: record.headers.map((header) => header.key),
    key: text(record.key),
    payload: text(record.value),
  };
}
