import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

export interface CommandOptions {
  readonly bootstrap?: string;
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface CommandResult {
  readonly code: number | null;
  readonly bytes: Buffer;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of standard output as JSON objects. */
  json(): Record<string, unknown>[];
}

/** Runs `quorate` as a process of its own, to its end. */
export async function quorate(
  words: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [MAIN, ...words], {
    stdio: 'pipe',
    cwd: options.cwd,
    env: environment(options),
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A command that refuses does not read what it is given.
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  const bytes = Buffer.concat(out);
  const stdout = bytes.toString();
  const parsed = (): Record<string, unknown>[] =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { code, bytes, stdout, stderr: Buffer.concat(err).toString(), json: parsed };
}

/** This process's, without what would tell the command of another cluster. */
export function environment(options: CommandOptions): Record<string, string> {
  const own = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('QUORATE_'),
  );
  const bootstrap = options.bootstrap === undefined ? {} : { QUORATE_BOOTSTRAP: options.bootstrap };
  return { ...Object.fromEntries(own), ...bootstrap, ...options.env };
}

/** What a command says when it refuses: one line, in plain words. */
export function expectPlainWords(text: string): string {
  if (/\n\s+at |Error:|node:internal/.test(text)) throw new Error(`this is no plain word: ${text}`);
  return text.trim();
}
