/** Prints records. By default the value and a line feed, byte for byte. */
import process from 'node:process';
import { type Command, InvalidArgumentError } from 'commander';
import type { Client, ConsumedRecord, ConsumerOptions, StartPosition } from '../../client/index.ts';
import { type CommonOptions, wholeNumber, withClient, withCommonOptions } from '../options.ts';
import { counted, printNote, writeOut } from '../output.ts';
import { formatterOf, type RecordFormat } from '../record-format.ts';

interface ConsumeOptions extends CommonOptions, RecordFormat {
  readonly fromBeginning?: boolean;
  readonly partition?: number;
  readonly offset?: StartPosition;
  readonly maxMessages?: number;
  readonly timeoutMs?: number;
}

export function defineConsume(command: Command): void {
  withCommonOptions(command)
    .option('--from-beginning', 'from the first record on; otherwise new ones only')
    .option('--partition <n>', 'this partition only', wholeNumber(0))
    .option('--offset <offset>', 'start here: a number, earliest or latest', parseOffset)
    .option('--max-messages <n>', 'end after so many', wholeNumber(1))
    .option('--timeout-ms <ms>', 'end when nothing came for so long', wholeNumber(1))
    .option(
      '--format <text>',
      'such as "%p %o %k %v\\n": %t topic, %p partition, %o offset, %T time, %k key, %v value, %h headers',
    )
    .option('--print-key', 'the key before the value')
    .option('--print-offset')
    .option('--print-partition')
    .option('--print-timestamp')
    .option('--print-headers')
    .action((topic: string, options: ConsumeOptions) =>
      withClient(options, (client) => consume(client, topic, options)),
    );
}

async function consume(client: Client, topic: string, options: ConsumeOptions): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const idle = new IdleTimer(options.timeoutMs, () => stop.abort());
  const consumer = client.consumer(consumerOptions(topic, options, stop.signal));
  const format = formatterOf(options);
  let left = options.maxMessages ?? Number.POSITIVE_INFINITY;
  let printed = 0;
  await consumer.assignment();
  idle.restart();
  for await (const batch of consumer.batches()) {
    const records = left < batch.records.length ? batch.records.slice(0, left) : batch.records;
    await writeOut(joined(records, format));
    printed += records.length;
    left -= records.length;
    if (left <= 0) break;
    idle.restart();
  }
  idle.stop();
  await consumer.close();
  if (!options.json) printNote(`${counted(printed, 'record')} read`);
}

function joined(
  records: readonly ConsumedRecord[],
  format: (record: ConsumedRecord, into: Uint8Array[]) => void,
): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const record of records) format(record, parts);
  return Buffer.concat(parts);
}

function consumerOptions(topic: string, options: ConsumeOptions, signal: AbortSignal): ConsumerOptions {
  const from = options.offset ?? (options.fromBeginning ? 'beginning' : 'end');
  return {
    topic,
    from,
    signal,
    ...(options.partition === undefined ? {} : { partitions: [options.partition] }),
  };
}

function parseOffset(text: string): StartPosition {
  if (text === 'earliest') return 'beginning';
  if (text === 'latest') return 'end';
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw new InvalidArgumentError('it must be a whole number from 0, earliest or latest');
  return { offset: Number(text) };
}

/** Calls `onIdle` when it was not restarted for `idleMs`; never without a bound. */
class IdleTimer {
  readonly #idleMs: number | undefined;
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(idleMs: number | undefined, onIdle: () => void) {
    this.#idleMs = idleMs;
    this.#onIdle = onIdle;
  }

  restart(): void {
    if (this.#idleMs === undefined) return;
    if (this.#timer === undefined) this.#timer = setTimeout(this.#onIdle, this.#idleMs);
    else this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
