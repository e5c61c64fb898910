/** Sends lines as records. Order within a partition is the order of the lines; what fails is counted and told. */
import { stdin } from 'node:process';
import { SingleBar } from 'cli-progress';
import { type Command, Option } from 'commander';
import { ApiError } from '../../base/index.ts';
import type { Client, Producer, RecordInput } from '../../client/index.ts';
import type { FileHandle } from '../../env/index.ts';
import { nodeFiles } from '../../env/node/index.ts';
import { COMPRESSION_TYPES, type CompressionType } from '../../log/record/index.ts';
import { Latencies } from '../latency.ts';
import { readLines } from '../lines.ts';
import { type CommonOptions, wholeNumber, withClient, withCommonOptions } from '../options.ts';
import {
  counted,
  describeError,
  EXIT_REFUSED,
  isTerminal,
  printJson,
  printLine,
  printNote,
  setExitCode,
} from '../output.ts';

interface ProduceOptions extends CommonOptions {
  readonly file?: string;
  readonly keySeparator?: string;
  readonly acks: 'all' | '0' | '1';
  readonly compression: CompressionType;
  readonly timeoutMs: number;
}

/** Records of one send, and sends without an answer; beyond that, reading waits. */
const SEND_RECORDS_MAX = 500;
const SENDS_OUTSTANDING_MAX = 200;
const CHUNK_BYTES = 256 * 1024;

export function defineProduce(command: Command): void {
  withCommonOptions(command)
    .option('--file <path>', 'read this file')
    .option('--key-separator <text>', 'what is before it in a line is the key')
    .addOption(
      new Option('--acks <how>', 'when a record counts as written').choices(['all', '1', '0']).default('all'),
    )
    .addOption(
      new Option('--compression <type>', 'how batches are compressed')
        .choices([...COMPRESSION_TYPES])
        .default('none'),
    )
    .option('--timeout-ms <ms>', 'how long a record may be tried again', wholeNumber(1), 30_000)
    .action((topic: string, options: ProduceOptions) =>
      withClient(options, (client) => produce(client, topic, options)),
    );
}

async function produce(client: Client, topic: string, options: ProduceOptions): Promise<void> {
  const acks = options.acks === 'all' ? 'all' : options.acks === '1' ? 1 : 0;
  const run = new ProduceRun(
    client.producer({
      acks,
      compression: options.compression,
      batchSize: 65_536,
      deliveryTimeoutMs: options.timeoutMs,
      maxBlockMs: options.timeoutMs,
    }),
    topic,
  );
  const file = options.file === undefined ? undefined : await nodeFiles().open(options.file, 'read');
  const bar = file !== undefined && isTerminal() && !options.json ? await openBar(file) : undefined;
  try {
    const source = file === undefined ? stdin : chunksOf(file, (bytes) => bar?.increment(bytes));
    for await (const lines of readLines(source)) {
      await run.send(lines, options.keySeparator);
      if (run.isHopeless) break;
    }
    await run.finish();
  } finally {
    bar?.stop();
    await file?.close();
  }
  run.report(options.json === true);
}

class ProduceRun {
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #latencies = new Latencies();
  readonly #startMs = performance.now();
  readonly #partitions = new Map<number, number>();
  #outstanding = 0;
  #acknowledged = 0;
  #failed = 0;
  #bytes = 0;
  #firstError: unknown;
  #wake: (() => void) | undefined;

  constructor(producer: Producer, topic: string) {
    this.#producer = producer;
    this.#topic = topic;
  }

  /** What follows would fail as well, each after its own timeout. */
  get isHopeless(): boolean {
    return this.#firstError !== undefined && !isOfOneRecord(this.#firstError);
  }

  async send(lines: readonly Buffer[], separator: string | undefined): Promise<void> {
    for (let at = 0; at < lines.length && !this.isHopeless; at += SEND_RECORDS_MAX) {
      while (this.#outstanding >= SENDS_OUTSTANDING_MAX) await this.#answer();
      this.#sendSome(lines.slice(at, at + SEND_RECORDS_MAX).map((line) => recordOf(line, separator)));
    }
  }

  async finish(): Promise<void> {
    while (this.#outstanding > 0) await this.#answer();
    await this.#producer.close();
  }

  #sendSome(records: readonly RecordInput[]): void {
    const sentMs = performance.now();
    this.#outstanding++;
    this.#producer
      .send(this.#topic, records)
      .then(
        (acknowledgements) => {
          this.#acknowledged += records.length;
          for (const { value } of records) this.#bytes += value?.length ?? 0;
          for (const { partition, count } of acknowledgements)
            this.#partitions.set(partition, (this.#partitions.get(partition) ?? 0) + count);
          this.#latencies.add(performance.now() - sentMs);
        },
        (error: unknown) => {
          this.#failed += records.length;
          this.#firstError ??= error;
        },
      )
      .finally(() => {
        this.#outstanding--;
        this.#wake?.();
      });
  }

  #answer(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  report(json: boolean): void {
    const seconds = (performance.now() - this.#startMs) / 1000;
    const rate = Math.round(this.#acknowledged / seconds);
    const latency = this.#latencies.quantiles();
    const partitions = [...this.#partitions].toSorted(([a], [b]) => a - b);
    if (json)
      printJson({
        topic: this.#topic,
        acknowledged: this.#acknowledged,
        failed: this.#failed,
        bytes: this.#bytes,
        seconds: Math.round(seconds * 1000) / 1000,
        records_per_second: rate,
        latency_ms: latency,
        partitions: Object.fromEntries(partitions),
        ...(this.#failed === 0 ? {} : { error: describeError(this.#firstError) }),
      });
    else {
      printLine(
        `${counted(this.#acknowledged, 'record')} acknowledged in ${seconds.toFixed(2)} s ` +
          `(${rate} records/s, ${(this.#bytes / seconds / 1e6).toFixed(2)} MB/s)`,
      );
      printLine(
        `latency: p50 ${latency.p50} ms, p95 ${latency.p95} ms, p99 ${latency.p99} ms, max ${latency.max} ms`,
      );
      printLine(`partitions: ${partitions.map(([id, count]) => `${id}: ${count}`).join(', ') || 'none'}`);
      if (this.#failed > 0)
        printNote(
          `error: ${counted(this.#failed, 'record')} failed${this.isHopeless ? ', sending stopped' : ''}: ` +
            describeError(this.#firstError),
        );
    }
    if (this.#failed > 0) setExitCode(EXIT_REFUSED);
  }
}

/** Others may do better. */
function isOfOneRecord(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'MESSAGE_TOO_LARGE';
}

function recordOf(line: Buffer, separator: string | undefined): RecordInput {
  const at = separator === undefined ? -1 : line.indexOf(separator);
  if (separator === undefined || at < 0) return { value: line };
  return { key: line.subarray(0, at), value: line.subarray(at + Buffer.byteLength(separator)) };
}

async function* chunksOf(file: FileHandle, onBytes: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const read = await file.read(chunk, position);
    if (read === 0) return;
    position += read;
    onBytes(read);
    yield chunk.subarray(0, read);
  }
}

async function openBar(file: FileHandle): Promise<SingleBar> {
  const bar = new SingleBar({ format: '{bar} {percentage}% {value}/{total} bytes, {eta_formatted} left' });
  bar.start(await file.sizeBytes(), 0);
  return bar;
}
