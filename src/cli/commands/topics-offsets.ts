/**
 * `topics offsets`: an offset of each partition, by time, as kafka-get-offsets prints it: `topic:partition:offset`, the
 * offset left out where no record is that late.
 */
import type { Command } from 'commander';
import { StartupError } from '../../base/index.ts';
import type { OffsetTime, PartitionOffset } from '../../client/index.ts';
import { type CommonOptions, withClient, withCommonOptions } from '../options.ts';
import { printJson, printLine } from '../output.ts';

interface OffsetsOptions extends CommonOptions {
  readonly time: string;
}

export function defineOffsets(topics: Command): void {
  withCommonOptions(topics.command('offsets <topic>'))
    .description('an offset of each partition: its start, its end, or by time')
    .option('--time <time>', 'latest, earliest, max-timestamp, Unix milliseconds, or an ISO date', 'latest')
    .action((topic: string, options: OffsetsOptions) =>
      withClient(options, async (client) => {
        const time = parseTime(options.time);
        for (const one of await client.admin.listOffsets(topic, time)) report(one, options.json === true);
      }),
    );
}

const NUMBERS: Readonly<Record<string, OffsetTime>> = {
  '-1': 'latest',
  '-2': 'earliest',
  '-3': 'max-timestamp',
};

/** Throws StartupError. A date without a zone is of this machine's. */
export function parseTime(text: string): OffsetTime {
  if (text === 'latest' || text === 'earliest' || text === 'max-timestamp') return text;
  const special = NUMBERS[text];
  if (special !== undefined) return special;
  const timestampMs = /^\d+$/.test(text)
    ? Number(text)
    : /^\d{4}-\d\d-\d\d/.test(text)
      ? Date.parse(text)
      : -1;
  if (Number.isSafeInteger(timestampMs) && timestampMs >= 0) return { timestampMs };
  throw new StartupError(
    `--time is latest, earliest, max-timestamp, milliseconds since 1970 or a date like 2024-05-01T12:00:00Z, not "${text}"`,
  );
}

function report({ topic, partition, offset, timestampMs }: PartitionOffset, json: boolean): void {
  if (json) printJson({ topic, partition, offset, timestamp_ms: timestampMs });
  else printLine(`${topic}:${partition}:${offset < 0 ? '' : offset}`);
}
