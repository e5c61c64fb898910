/** What a person or a script reads: tables on a terminal, one JSON object a line with `--json`, errors in plain words. */
import process, { exit, stderr, stdout } from 'node:process';
import Table from 'cli-table3';
import { ApiError, CorruptionError, EnvironmentError, StartupError } from '../base/index.ts';

/** 0: done. 1: refused or failed. 2: wrong usage. */
export const EXIT_REFUSED = 1;
export const EXIT_USAGE = 2;

export function printLine(text = ''): void {
  stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  stdout.write(`${JSON.stringify(value)}\n`);
}

/** Remarks that must not mix with what a pipe reads. */
export function printNote(text: string): void {
  stderr.write(`${text}\n`);
}

/** "1 record", "2 records". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Aligned columns without borders, as Kafka's tools print. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const blank = Object.fromEntries(
    'top,top-mid,top-left,top-right,bottom,bottom-mid,bottom-left,bottom-right,left,left-mid,mid,mid-mid,right,right-mid'
      .split(',')
      .map((name) => [name, '']),
  );
  const table = new Table({
    head: [...head],
    chars: { ...blank, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) table.push(row.map(String));
  for (const line of table.toString().split('\n')) printLine(line.trimEnd());
}

/** Somebody is looking: progress may be drawn on standard error. */
export function isTerminal(): boolean {
  return stderr.isTTY === true;
}

/** Of the command, once it has ended by itself. */
export function setExitCode(code: number): void {
  process.exitCode = code;
}

/** Writes bytes, waiting while the reader of the pipe is slow. A reader that went away ends the command quietly. */
export function writeOut(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (stdout.write(bytes)) resolve();
    else stdout.once('drain', resolve);
  });
}

/** `| head` closes the pipe: that is no error. */
export function endQuietlyOnClosedPipe(): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') exit(0);
    throw error;
  });
}

/** The words for whatever was thrown. A bug keeps its stack: there it is what helps. */
export function describeError(error: unknown): string {
  if (error instanceof ApiError) return `${error.code}: ${error.message}${wayOut(error)}`;
  if (isForPeople(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function isForPeople(error: unknown): error is Error {
  return (
    error instanceof EnvironmentError || error instanceof StartupError || error instanceof CorruptionError
  );
}

/** Where the client cannot know what a person at this command line can do. */
function wayOut({ code }: ApiError): string {
  if (code !== 'BROKER_NOT_AVAILABLE') return '';
  return '; is the cluster running? "quorate dev" starts one here, --bootstrap host:port names another';
}

/** Ends the command with status 1 after saying why. */
export function fail(error: unknown, json: boolean): never {
  if (json) {
    const code =
      error instanceof ApiError ? error.code : error instanceof EnvironmentError ? error.reason : 'FAILED';
    stderr.write(`${JSON.stringify({ error: code, message: describeError(error) })}\n`);
  } else printNote(`error: ${describeError(error)}`);
  exit(EXIT_REFUSED);
}
