/**
 * Logs of the rim. A message is a fixed lower-case phrase, its data are in `fields`.
 * error: a person must act. warn: degraded, healing. info: change of role, membership or files. debug: per request.
 */
export interface Logger {
  error(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Logger;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Says nothing. */
export const SILENT: Logger = {
  error() {},
  warn() {},
  info() {},
  debug() {},
  child() {
    return SILENT;
  },
};
