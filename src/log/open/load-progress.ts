import type { MonotonicMs } from '../../base/index.ts';
import type { Logger } from '../../env/index.ts';

/** Between two reports of a start that takes long. */
const REPORT_MS = 5000;

/** How far the logs of a directory are opened, told to the operator while it takes long. */
export class LoadProgress {
  readonly #logger: Logger;
  readonly #nowMs: () => MonotonicMs;
  #logs = 0;
  #bytes = 0;
  #logsDone = 0;
  #bytesDone = 0;
  #startMs: MonotonicMs = 0;
  #reportedMs: MonotonicMs = 0;

  constructor(logger: Logger, nowMs: () => MonotonicMs) {
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  get logsLeft(): number {
    return this.#logs - this.#logsDone;
  }

  /** Of what must be read again; 0 after a clean stop. */
  get bytesLeft(): number {
    return Math.max(0, this.#bytes - this.#bytesDone);
  }

  /** So many logs are to be opened, for which so many bytes must be read again. */
  begin(logs: number, recoverBytes: number): void {
    this.#logs += logs;
    this.#bytes += recoverBytes;
    this.#startMs = this.#nowMs();
    this.#reportedMs = this.#startMs;
    if (recoverBytes > 0)
      this.#logger.info({ logs, bytes: recoverBytes }, 'recovering logs after an unclean stop');
  }

  /** So many more bytes were read again. */
  recovered(bytes: number): void {
    this.#bytesDone += bytes;
    this.#maybeReport();
  }

  /** One log more is open, or was found to be unusable. */
  opened(): void {
    this.#logsDone++;
    if (this.#logsDone < this.#logs) {
      this.#maybeReport();
      return;
    }
    const takenMs = Math.round(this.#nowMs() - this.#startMs);
    this.#logger.info({ logs: this.#logs, recoveredBytes: this.#bytesDone, takenMs }, 'logs are open');
  }

  #maybeReport(): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#reportedMs < REPORT_MS) return;
    this.#reportedMs = nowMs;
    const share = this.#bytes > 0 ? this.#bytesDone / this.#bytes : this.#logsDone / this.#logs;
    const takenMs = nowMs - this.#startMs;
    this.#logger.info(
      {
        logs: this.#logs,
        logsLeft: this.logsLeft,
        bytesLeft: this.bytesLeft,
        ...(share > 0 ? { leftMs: Math.round((takenMs / share) * (1 - share)) } : {}),
      },
      'opening logs',
    );
  }
}
