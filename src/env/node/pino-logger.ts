import { type Logger as Pino, pino } from 'pino';
import type { LogFields, Logger } from '../logger.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'silent';

/** A file's path, a descriptor (1 and 2 are standard output and error), or whatever takes lines. */
export type LogDestination = string | number | { write(line: string): void };

export interface PinoLoggerOptions {
  readonly level: LogLevel;
  readonly destination: LogDestination;
}

/**
 * Logs one JSON object a line: level as a word, ISO time, the fields, `msg`; an Error under `error` or `err` with stack.
 * Writes before it returns: the last words of a process that ends must not sit in a buffer.
 */
export function createPinoLogger(options: PinoLoggerOptions): Logger {
  const { destination } = options;
  const stream =
    typeof destination === 'object'
      ? destination
      : pino.destination({ dest: destination, sync: true, mkdir: typeof destination === 'string' });
  const root = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    stream,
  );
  return new PinoLogger(root);
}

class PinoLogger implements Logger {
  readonly #pino: Pino;

  constructor(root: Pino) {
    this.#pino = root;
  }

  error(fields: LogFields, message: string): void {
    this.#pino.error(fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#pino.warn(fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#pino.info(fields, message);
  }

  debug(fields: LogFields, message: string): void {
    this.#pino.debug(fields, message);
  }

  child(fields: LogFields): Logger {
    return new PinoLogger(this.#pino.child(fields));
  }
}
