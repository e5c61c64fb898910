/**
 * Shows what the files of a log hold, in the manner of kafka-dump-log, and whether they are as they must be. Reads only
 * and takes no lock: a broker may be running on them. What a file means is known to `log/inspect`; here it is printed.
 */
import { type Command, Option } from 'commander';
import { StartupError } from '../../base/index.ts';
import type { Files } from '../../env/index.ts';
import { nodeFiles } from '../../env/node/index.ts';
import {
  type Fields,
  type FieldValue,
  findLogFiles,
  type Inspection,
  inspectLogFile,
  type Row,
  type SegmentOptions,
  segmentsOf,
} from '../../log/index.ts';
import { counted, EXIT_REFUSED, fail, printNote, setExitCode, writeOut } from '../output.ts';

/** Written at once: a line alone costs a call to the system. */
const WRITE_CHARACTERS = 65_536;
/** Words that kafka-dump-log runs together. */
const JSON_NAMES: Readonly<Record<string, string>> = { isvalid: 'isValid' };
const CONTROL_CHARACTERS = /\p{Cc}/gu;

interface DumpOptions extends SegmentOptions {
  readonly json?: boolean;
}

export function defineLog(group: Command): void {
  group
    .command('dump <file...>')
    .description('print what files of a log hold; of a directory, all of them')
    .option('--records', 'print the records of the batches too')
    .option('--deep', 'decode every record, check CRC, offsets, counts and times')
    .addOption(
      new Option(
        '--verify-index',
        'hold .index and .timeindex against their .log; print what differs',
      ).conflicts('records'),
    )
    .option('--json', 'one JSON object a line')
    .action(async (paths: string[], options: DumpOptions) => {
      try {
        await dump(paths, options);
      } catch (error) {
        fail(error, options.json === true);
      }
    });
}

async function dump(paths: readonly string[], options: DumpOptions): Promise<void> {
  const files = nodeFiles();
  const print = options.json === true ? toJson : toText;
  let findings = 0;
  let text = '';
  for (const path of await pathsToDump(files, paths, options))
    for await (const inspection of inspectLogFile(files, path, options)) {
      text += print(inspection);
      if (inspection.kind === 'finding') findings++;
      if (text.length < WRITE_CHARACTERS) continue;
      await writeOut(Buffer.from(text));
      text = '';
    }
  await writeOut(Buffer.from(text));
  if (findings === 0) return;
  const message =
    findings === 1
      ? '1 place is not as it must be, see above'
      : `${findings} places are not as they must be, see above`;
  printNote(options.json === true ? JSON.stringify({ error: 'DAMAGED', message }) : `error: ${message}`);
  setExitCode(EXIT_REFUSED);
}

/** All paths are looked at before anything is printed. */
async function pathsToDump(
  files: Files,
  paths: readonly string[],
  options: DumpOptions,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const below = await findLogFiles(files, path);
    if (options.verifyIndex === true && segmentsOf(below).length === 0)
      throw new StartupError(
        `${path} is no segment: --verify-index takes .log, .index, .timeindex or a directory`,
      );
    found.push(...below);
  }
  return options.verifyIndex === true ? segmentsOf(found) : [...new Set(found)];
}

function toText(inspection: Inspection): string {
  switch (inspection.kind) {
    case 'file':
      return `Dumping ${inspection.file} (${counted(inspection.sizeBytes, 'byte')})\n`;
    case 'row':
      return rowText(inspection);
    case 'note':
      return `${inspection.file}: ${inspection.text}\n`;
    case 'finding':
      return `${inspection.file} at byte ${inspection.position}: expected ${inspection.expected}, found ${inspection.found}\n`;
  }
}

function rowText({ type, file, fields }: Row): string {
  const head = type === 'summary' ? `Checked ${file}: ` : type === 'record' ? '| ' : '';
  return `${head}${fieldsText(fields)}\n`;
}

function fieldsText(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${valueText(value)}`)
    .join(' ');
}

/** A record may hold anything: what would move the cursor or break the line is shown as an escape. */
function valueText(value: FieldValue): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(
    CONTROL_CHARACTERS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function toJson(inspection: Inspection): string {
  return `${JSON.stringify(jsonOf(inspection))}\n`;
}

function jsonOf(inspection: Inspection): object {
  const { kind, file } = inspection;
  if (kind === 'row') return { type: inspection.type, file, ...snakeCase(inspection.fields) };
  if (kind === 'file')
    return { type: kind, file, file_kind: inspection.fileKind, size_bytes: inspection.sizeBytes };
  const { kind: _, ...rest } = inspection;
  return { type: kind, ...rest };
}

/** Names as in the .proto files. */
function snakeCase(fields: Fields): Fields {
  const named = (name: string): string =>
    (JSON_NAMES[name] ?? name).replace(/[a-z][A-Z]/g, ([a = '', b = '']) => `${a}_${b}`).toLowerCase();
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [named(name), value]));
}
