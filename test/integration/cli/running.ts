import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type CommandOptions, environment, MAIN } from './command.ts';

/** A `quorate` that goes on until it is stopped. */
export interface Running {
  readonly child: ChildProcess;
  /** The first line it printed. */
  readonly line: string;
  /** What it printed on standard error so far. */
  errors(): string;
  /** Sends the signal; the exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | string>;
}

/** Starts `quorate`; resolves with its first line, rejects with its words when it ends before. */
export async function start(words: readonly string[], options: CommandOptions = {}): Promise<Running> {
  const child = spawn(process.execPath, [MAIN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: options.cwd,
    env: environment(options),
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exit = once(child, 'exit');
  const closed = once(child, 'close').then(() => {
    throw new Error(`quorate ${words.join(' ')} ended: ${errors}`);
  });
  closed.catch(() => {});
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), closed])) as [
    string,
  ];
  const end = async (signal: NodeJS.Signals): Promise<number | string> => {
    child.kill(signal);
    const [code, killedBy] = (await exit) as [number | null, NodeJS.Signals | null];
    return code ?? killedBy ?? '';
  };
  return { child, line, errors: () => errors, end };
}
