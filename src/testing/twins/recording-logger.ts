import type { LogFields, Logger } from '../../env/index.ts';

export interface LogLine {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly fields: LogFields;
  readonly message: string;
}

/** Lines kept; older ones are forgotten. */
const LINES_MAX = 10_000;

/** Keeps what was logged, its children's lines included. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[];
  readonly #fields: LogFields;

  constructor(fields: LogFields = {}, lines: LogLine[] = []) {
    this.#fields = fields;
    this.lines = lines;
  }

  error(fields: LogFields, message: string): void {
    this.#record('error', fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#record('warn', fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#record('info', fields, message);
  }

  debug(fields: LogFields, message: string): void {
    this.#record('debug', fields, message);
  }

  child(fields: LogFields): Logger {
    return new RecordingLogger({ ...this.#fields, ...fields }, this.lines);
  }

  /** The lines whose message contains `text`, oldest first. */
  find(text: string): LogLine[] {
    return this.lines.filter((line) => line.message.includes(text));
  }

  #record(level: LogLine['level'], fields: LogFields, message: string): void {
    if (this.lines.length >= LINES_MAX) this.lines.shift();
    this.lines.push({ level, fields: { ...this.#fields, ...fields }, message });
  }
}
