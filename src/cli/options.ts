/** Options that many commands share, and what surrounds the work of each. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Client } from '../client/index.ts';
import { createClient } from '../index.ts';
import { findBootstrap } from './bootstrap.ts';
import { fail } from './output.ts';
import { Patience } from './patience.ts';

/** Somebody waits before a screen: a cluster that does not answer is told sooner than a service would want it. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface CommonOptions {
  readonly bootstrap?: string;
  readonly json?: boolean;
}

export function withCommonOptions(command: Command): Command {
  return command
    .option(
      '--bootstrap <host:port,…>',
      'brokers to start from (QUORATE_BOOTSTRAP, or the local "quorate dev")',
    )
    .option('--json', 'one JSON object a line');
}

/** Runs `work` with a client of the chosen cluster; whatever it throws ends the command with status 1. */
export async function withClient<O extends CommonOptions>(
  options: O,
  work: (client: Client, options: O) => Promise<void>,
): Promise<void> {
  try {
    await using client = createClient({
      bootstrap: await findBootstrap(options),
      clientId: 'quorate-cli',
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      logger: new Patience(),
    });
    await work(client, options);
  } catch (error) {
    fail(error, options.json === true);
  }
}

/** For a count or an amount: a whole number from `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min)
      throw new InvalidArgumentError(`it must be a whole number from ${min}`);
    return value;
  };
}

/** `--config a=1 --config b=2` gathered into one object. */
export function keyValue(text: string, previous: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('it must be key=value');
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}

/** An option that may be given often. */
export function gather(text: string, previous: readonly string[] = []): string[] {
  return [...previous, text];
}
