/**
 * Compacts the logs of one directory, one at a time, the dirtiest first, until none is due.
 *
 * A log whose cleaning fails hinders no other: one that cannot be read any more goes offline like at any other read; one
 * whose result cannot be written, or whose keys have no room, stays in service and is let alone for a time that doubles.
 * Source: Kafka's LogCleaner and LogCleanerManager.grabFilthiestCompactedLog.
 */
import { CorruptionError, EnvironmentError, type MonotonicMs, type Random } from '../../base/index.ts';
import { type Clock, type Logger, type Metrics, sleep, type Timers } from '../../env/index.ts';
import type { PartitionLog } from '../partition-log.ts';
import { isReadFatal } from '../read/log-reader.ts';
import { CleanerMetrics } from './cleaner-metrics.ts';
import type { CleanedOutcome } from './cleaning-outcome.ts';
import { SECRET_BYTES } from './core/key-hash.ts';
import type { CleaningPlan } from './core/plan-cleaning.ts';
import { Throttle } from './core/throttle.ts';

export interface CleanerOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Memory for the keys of one log. */
  readonly keyMapBytes: number;
  /** Read and written, in sum. */
  readonly bytesPerSecond: number;
}

export interface CleanerPorts {
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly nowMs: () => MonotonicMs;
  readonly logs: () => Iterable<PartitionLog>;
  /** Saves where each log is clean up to. */
  readonly saveCheckpoints: () => Promise<void>;
}

/** How long a log is let alone after its first failed cleaning, and at most. */
const PAUSE_MS = 60_000;
const PAUSE_MAX_MS = 3_600_000;

interface Pause {
  readonly untilMs: number;
  readonly pauseMs: number;
}

export class LogCleaner {
  readonly #ports: CleanerPorts;
  readonly #metrics: CleanerMetrics;
  /** After a cleaning that failed, until one that did not. */
  readonly #paused = new WeakMap<PartitionLog, Pause>();
  readonly #stop = new AbortController();
  #throttle: { readonly bytesPerSecond: number; readonly throttle: Throttle } | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(ports: CleanerPorts) {
    this.#ports = ports;
    const { metrics, nowMs } = ports;
    this.#metrics = new CleanerMetrics({ metrics, nowMs, uncleanable: () => this.#uncleanable() });
  }

  /** Resolves when no log is due. Calls run one after another. */
  run(options: CleanerOptions): Promise<void> {
    const done = this.#running.then(() => this.#run(options));
    this.#running = done.catch(() => {});
    return done;
  }

  /** Nothing is begun any more. A cleaning under way ends with its log: see LogCompactor.stop. */
  close(): void {
    this.#stop.abort();
  }

  async #run(options: CleanerOptions): Promise<void> {
    const done = new Set<PartitionLog>();
    while (!this.#stop.signal.aborted) {
      const next = await this.#dirtiest(options, done);
      if (next === undefined || this.#stop.signal.aborted) return;
      const goesOn = await this.#clean(next.log, options);
      if (!goesOn) done.add(next.log);
    }
  }

  async #dirtiest(
    { clock }: CleanerOptions,
    done: ReadonlySet<PartitionLog>,
  ): Promise<{ log: PartitionLog; plan: CleaningPlan } | undefined> {
    let best: { log: PartitionLog; plan: CleaningPlan } | undefined;
    let [dirtyRatio, delayMs] = [0, 0];
    for (const log of [...this.#ports.logs()]) {
      if (!log.compactor.isWanted) continue;
      const isPaused = this.#isPaused(log, clock);
      try {
        const plan = await log.compactor.plan(clock.wallMs());
        dirtyRatio = Math.max(dirtyRatio, plan.dirtyRatio);
        delayMs = Math.max(delayMs, plan.delayMs);
        const mayBegin = plan.isDue && !isPaused && !done.has(log);
        if (mayBegin && plan.dirtyRatio > (best?.plan.dirtyRatio ?? -1)) best = { log, plan };
      } catch (error) {
        if (!isPaused) this.#failed(log, error, clock);
      }
    }
    this.#metrics.looked({ dirtyRatio, delayMs });
    return best;
  }

  *#uncleanable(): Iterable<PartitionLog> {
    for (const log of this.#ports.logs()) if (log.compactor.isWanted && this.#paused.has(log)) yield log;
  }

  /** True: there may be more to clean in it. */
  async #clean(log: PartitionLog, options: CleanerOptions): Promise<boolean> {
    const { topic, partition } = log;
    const { logger, random } = this.#ports;
    const beganMs = options.clock.monotonicMs();
    try {
      const outcome = await log.compactor.clean({
        nowMs: options.clock.wallMs(),
        keyMapBytes: options.keyMapBytes,
        secret: random.bytes(SECRET_BYTES),
        pace: (bytes, signal) => this.#pace(bytes, signal, options),
      });
      if (outcome.kind === 'given-up') return false;
      if (outcome.kind === 'no-room') {
        const { records } = outcome;
        const { keyMapBytes } = options;
        logger.warn(
          { topic, partition, records, keyMapBytes },
          'log.cleaner.dedupe.buffer.size is too small',
        );
        this.#pause(log, options.clock);
        return false;
      }
      this.#paused.delete(log);
      this.#metrics.cleaned(outcome, options.clock.monotonicMs() - beganMs);
      this.#report(log, outcome);
    } catch (error) {
      this.#failed(log, error, options.clock);
      return false;
    }
    await this.#saveCheckpoints(log);
    return true;
  }

  /** Where a log is clean is a hint: without it more of it is read the next time. */
  async #saveCheckpoints({ topic, partition }: PartitionLog): Promise<void> {
    // At a stop they are saved by whoever stops.
    if (this.#stop.signal.aborted) return;
    try {
      await this.#ports.saveCheckpoints();
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      const fields = { topic, partition, error: error.message };
      this.#ports.logger.warn(fields, 'where a log is clean could not be saved');
    }
  }

  #report({ topic, partition }: PartitionLog, outcome: CleanedOutcome): void {
    const { kind: _, keylessDropped, unreadable, keyMapUsed: __, ...figures } = outcome;
    const { logger } = this.#ports;
    logger.info({ topic, partition, ...figures }, 'compacted a log');
    if (keylessDropped > 0)
      logger.warn({ topic, partition, records: keylessDropped }, 'compaction removed records without a key');
    if (unreadable > 0)
      logger.warn({ topic, partition, batches: unreadable }, 'compaction kept batches that cannot be opened');
  }

  async #pace(bytes: number, signal: AbortSignal, { clock, timers, bytesPerSecond }: CleanerOptions) {
    if (this.#throttle?.bytesPerSecond !== bytesPerSecond)
      this.#throttle = { bytesPerSecond, throttle: new Throttle(bytesPerSecond) };
    const waitMs = this.#throttle.throttle.pass(bytes, clock.monotonicMs());
    if (waitMs > 0) await sleep(timers, waitMs, signal);
  }

  #failed(log: PartitionLog, error: unknown, clock: Clock): void {
    const ours = error instanceof CorruptionError || error instanceof EnvironmentError;
    if (!ours) throw error;
    const { topic, partition } = log;
    const { logger } = this.#ports;
    const isOfResult = error instanceof EnvironmentError && error.subject.endsWith('.cleaned');
    if (isReadFatal(error) && !isOfResult) {
      logger.error({ topic, partition, error: error.message }, 'compaction met damage');
      log.takeOffline(error);
      return;
    }
    const pauseMs = this.#pause(log, clock);
    logger.warn({ topic, partition, error: error.message, pauseMs }, 'a log could not be compacted');
  }

  #isPaused(log: PartitionLog, clock: Clock): boolean {
    return (this.#paused.get(log)?.untilMs ?? 0) > clock.monotonicMs();
  }

  #pause(log: PartitionLog, clock: Clock): number {
    const pauseMs = Math.min((this.#paused.get(log)?.pauseMs ?? PAUSE_MS / 2) * 2, PAUSE_MAX_MS);
    this.#paused.set(log, { pauseMs, untilMs: clock.monotonicMs() + pauseMs });
    return pauseMs;
  }
}
