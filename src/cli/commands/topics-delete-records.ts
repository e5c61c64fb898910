/**
 * `topics delete-records`: which records may be named in three ways, which come to the same list.
 *
 *   t --partition 0 --before-offset 100                  one offset for every --partition that has none of its own
 *   t --partition 0:100 --partition 1:end                each its own
 *   --file offsets.json                                  {"partitions":[{"topic":"t","partition":0,"offset":100}]}, as for
 *                                                        kafka-delete-records; -1 is the end
 */
import type { Command } from 'commander';
import { StartupError } from '../../base/index.ts';
import type { RecordsDeleted, RecordsToDelete } from '../../client/index.ts';
import { readWholeFile } from '../../env/index.ts';
import { nodeFiles } from '../../env/node/index.ts';
import { type CommonOptions, gather, wholeNumber, withClient, withCommonOptions } from '../options.ts';
import { EXIT_REFUSED, printJson, printLine, printNote, setExitCode } from '../output.ts';

interface DeleteRecordsOptions extends CommonOptions {
  readonly partition?: readonly string[];
  readonly beforeOffset?: string;
  readonly file?: string;
  readonly timeoutMs: number;
}

export function defineDeleteRecords(topics: Command): void {
  withCommonOptions(topics.command('delete-records [topic]'))
    .description('delete the oldest records of partitions, up to an offset')
    .option('--partition <p[:offset]>', 'a partition, with an offset of its own; may be repeated', gather)
    .option('--before-offset <offset>', 'first offset to keep; "end" deletes all that is committed')
    .option('--file <path>', 'partitions and offsets as JSON, in the form of kafka-delete-records')
    .option('--timeout-ms <ms>', 'longest wait', wholeNumber(1), 10_000)
    .action((topic: string | undefined, options: DeleteRecordsOptions) =>
      withClient(options, async (client) => {
        const records = await recordsToDelete(topic, options);
        const { timeoutMs } = options;
        const outcomes = await client.admin.deleteRecords(records, { timeoutMs });
        for (const outcome of outcomes) report(outcome, options.json === true);
        if (outcomes.some(({ error }) => error !== 'NONE')) setExitCode(EXIT_REFUSED);
      }),
    );
}

async function recordsToDelete(
  topic: string | undefined,
  { partition = [], beforeOffset, file }: DeleteRecordsOptions,
): Promise<RecordsToDelete[]> {
  if (file !== undefined) {
    if (topic !== undefined || partition.length > 0 || beforeOffset !== undefined)
      throw new StartupError('--file names topics, partitions and offsets itself; give it alone');
    const bytes = await readWholeFile(nodeFiles(), file);
    if (bytes === undefined) throw new StartupError(`there is no file ${file}`);
    return parseOffsetsFile(bytes.toString(), file);
  }
  if (topic === undefined) throw new StartupError('name a topic, or partitions and offsets with --file');
  if (partition.length === 0) throw new StartupError('name at least one --partition');
  return partition.map((text) => parsePartition(topic, text, beforeOffset));
}

/** `3` or `3:100` or `3:end`. Throws StartupError. */
export function parsePartition(topic: string, text: string, beforeOffset?: string): RecordsToDelete {
  const [, partition, own] = /^(\d+)(?::(.+))?$/.exec(text) ?? [];
  if (partition === undefined)
    throw new StartupError(`--partition must be a number, or number:offset, not "${text}"`);
  const offset = own ?? beforeOffset;
  if (offset === undefined)
    throw new StartupError(`partition ${text} has no offset: add --before-offset, or write ${text}:<offset>`);
  return { topic, partition: Number(partition), before: toBefore(offset) };
}

/** Throws StartupError for what is not such a file. */
export function parseOffsetsFile(text: string, path: string): RecordsToDelete[] {
  const wrong = (what: string): StartupError =>
    new StartupError(`${path} ${what}; expected {"partitions":[{"topic":"t","partition":0,"offset":100}]}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw wrong('is no JSON');
  }
  const { partitions, version } = Object(parsed) as { partitions?: unknown; version?: unknown };
  if (version !== undefined && version !== 1) throw wrong(`is of version ${String(version)}, not 1`);
  if (!Array.isArray(partitions) || partitions.length === 0) throw wrong('has no partitions');
  return partitions.map((entry: unknown, index) => {
    const { topic, partition, offset } = Object(entry) as Record<string, unknown>;
    const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
    if (typeof topic !== 'string' || !isWhole(partition) || !isWhole(offset) || partition < 0)
      throw wrong(`lacks topic, partition or offset in its entry ${index}`);
    return { topic, partition, before: toBefore(String(offset)) };
  });
}

function toBefore(text: string): RecordsToDelete['before'] {
  if (text === 'end' || text === '-1') return 'end';
  const offset = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(offset))
    throw new StartupError(`an offset is a whole number or "end", not "${text}"`);
  return offset;
}

/** As kafka-delete-records prints it. */
function report(
  { topic, partition, error, errorMessage, lowWatermark }: RecordsDeleted,
  json: boolean,
): void {
  const name = `${topic}-${partition}`;
  if (error === 'NONE') {
    if (json) printJson({ topic, partition, low_watermark: lowWatermark });
    else printLine(`partition: ${name}\tlow_watermark: ${lowWatermark}`);
  } else if (json) printJson({ topic, partition, error, message: errorMessage ?? error });
  else printNote(`error: partition: ${name}\t${error}: ${errorMessage ?? ''}`);
}
