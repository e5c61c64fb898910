/**
 * Reads every closed segment once in a while, so that damage is found while another replica still has the records.
 *
 * One read at a time, small and at a bounded rate, from timers; memory is one piece. What looks damaged is read again
 * while nothing is cut or replaced: only then the log is taken offline. Indexes that do not fit the batches are no
 * damage of the log and are made anew. A file of its own remembers how far the round is.
 * Source: ZFS scrub; Bairavasundaram et al., "An Analysis of Latent Sector Errors in Disk Drives" (2007).
 */
import { CorruptionError, EnvironmentError, type MonotonicMs, type PartitionId } from '../../base/index.ts';
import type { Environment, Timer } from '../../env/index.ts';
import type { PartitionLog } from '../partition-log.ts';
import { isReadFatal } from '../read/log-reader.ts';
import type { ClosedSegment } from './closed-segments.ts';
import {
  readScrubCheckpoint,
  SCRUB_CHECKPOINT,
  type ScrubCheckpoint,
  saveScrubCheckpoint,
} from './scrub-checkpoint.ts';
import { registerScrubMetrics, type ScrubMetrics } from './scrub-metrics.ts';
import { pauseAfterMs, type ScrubSettings, scrubRate } from './scrub-pace.ts';
import { doneOf, type LogName, logsFrom } from './scrub-round.ts';
import { takeOfflineIfDamaged } from './second-look.ts';
import { type CheckStep, SegmentCheck } from './segment-check.ts';

export interface ScrubOptions {
  readonly logs: {
    all(): Iterable<PartitionLog>;
    find(topic: string, partition: PartitionId): PartitionLog | undefined;
  };
  readonly settings: ScrubSettings;
  readonly environment: Pick<Environment, 'files' | 'clock' | 'timers' | 'random' | 'logger' | 'metrics'>;
  /** Told of what is not damage of a log. */
  readonly report: (error: unknown, what: string) => void;
  /** For the file that remembers the round; undefined: nothing can be stored. */
  readonly directory: () => string | undefined;
}

/** Between two looks whether the next round is due. */
const IDLE_MS = 60_000;
/** After an error of the disk that is not the log's: too many open files, say. */
const RETRY_MS = 10_000;
/** A segment that cannot be looked at so often, without being damaged, is passed over in this round. */
const ATTEMPTS_MAX = 10;
/** Nodes that start together do not read together. */
const START_SPREAD_MS = 10_000;
/** Logs without closed segments that are passed over in one go. */
const PASS_MAX = 256;
const SAVE_INTERVAL_MS = 30_000;

interface Round {
  readonly startedMs: MonotonicMs;
  readonly left: LogName[];
  leftBytes: number;
}

export class Scrubber {
  readonly #options: ScrubOptions;
  readonly #metrics: ScrubMetrics;
  #timer: Timer | undefined;
  /** undefined: not read yet. */
  #checkpoint: ScrubCheckpoint | undefined;
  #round: Round | undefined;
  #current: { readonly log: PartitionLog; readonly check: SegmentCheck } | undefined;
  #savedMs = 0;
  /** In a row, at one segment. */
  #failures = 0;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  /** Use {@link startScrub}. */
  constructor(options: ScrubOptions) {
    this.#options = options;
    this.#metrics = registerScrubMetrics(options.environment.metrics, () => this.#checkpoint?.endedMs);
  }

  start(): void {
    const { environment, settings } = this.#options;
    this.#after(environment.random.float() * Math.min(START_SPREAD_MS, settings.intervalMs));
  }

  /** Resolves when nothing is read any more and the place is remembered. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
    await this.#drop();
    await this.#save();
  }

  #after(pauseMs: number): void {
    if (this.#closed) return;
    this.#timer = this.#options.environment.timers.after(pauseMs, () => {
      this.#running = this.#run();
    });
  }

  async #run(): Promise<void> {
    let pauseMs = RETRY_MS;
    try {
      pauseMs = await this.#step();
    } catch (error) {
      await this.#drop();
      this.#options.report(error, 'the scrub of the logs was interrupted and tries again');
    }
    this.#after(pauseMs);
  }

  /** One read at most. Gives the time until the next step. */
  async #step(): Promise<number> {
    this.#checkpoint ??= await this.#readCheckpoint();
    const round = this.#round ?? this.#maybeBegin();
    if (round === undefined) return Math.min(IDLE_MS, this.#msToNextRound());
    this.#current ??= await this.#openNext(round);
    const current = this.#current;
    if (current === undefined) return round.left.length === 0 ? this.#endRound() : 1;
    const step = await this.#read(current.log, current.check);
    this.#metrics.bytes.add(step.bytes);
    const { settings, environment } = this.#options;
    const leftMs = round.startedMs + settings.intervalMs - environment.clock.monotonicMs();
    const rate = scrubRate({ bytes: round.leftBytes, ms: leftMs }, settings);
    round.leftBytes = Math.max(0, round.leftBytes - step.bytes);
    if (step.kind !== 'more') await this.#endSegment(current, step);
    return Math.max(1, pauseAfterMs(step.bytes, rate));
  }

  /** The directory that holds it may fail: nothing is written there any more. */
  #checkpointPath(): string | undefined {
    const directory = this.#options.directory();
    return directory === undefined ? undefined : `${directory}/${SCRUB_CHECKPOINT}`;
  }

  async #readCheckpoint(): Promise<ScrubCheckpoint> {
    const { files } = this.#options.environment;
    const path = this.#checkpointPath();
    return path === undefined ? {} : readScrubCheckpoint(files, path).catch(() => ({}));
  }

  #msToNextRound(): number {
    const startedMs = this.#checkpoint?.startedMs;
    const nowMs = this.#options.environment.clock.wallMs();
    // A round of the future: the date was wrong then, or is now. To wait for it may take years.
    if (startedMs === undefined || startedMs > nowMs) return 0;
    return Math.max(0, this.#options.settings.intervalMs - elapsedMs(startedMs, nowMs));
  }

  /** A round that was under way goes on; a new one begins when the interval of the last one is over. */
  #maybeBegin(): Round | undefined {
    const { clock } = this.#options.environment;
    const { after, startedMs, endedMs } = this.#checkpoint ?? {};
    const goesOn = after !== undefined && startedMs !== undefined;
    if (!goesOn) {
      if (this.#msToNextRound() > 0) return undefined;
      this.#checkpoint = { startedMs: clock.wallMs(), ...(endedMs === undefined ? {} : { endedMs }) };
    }
    const left = logsFrom(this.#options.logs.all(), after);
    let leftBytes = 0;
    for (const log of left) for (const { sizeBytes } of log.closed.list()) leftBytes += sizeBytes;
    const spentMs = goesOn ? elapsedMs(startedMs, clock.wallMs()) : 0;
    this.#round = { startedMs: clock.monotonicMs() - spentMs, left: left.reverse(), leftBytes };
    return this.#round;
  }

  async #endRound(): Promise<number> {
    const { clock, logger } = this.#options.environment;
    const startedMs = this.#checkpoint?.startedMs ?? clock.wallMs();
    this.#round = undefined;
    this.#checkpoint = { startedMs, endedMs: clock.wallMs() };
    logger.debug({ tookMs: elapsedMs(startedMs, clock.wallMs()) }, 'every closed segment has been read');
    await this.#save();
    return Math.min(IDLE_MS, this.#msToNextRound());
  }

  /** The next segment in order, open; undefined: none among the logs looked at now. */
  async #openNext(round: Round): Promise<{ log: PartitionLog; check: SegmentCheck } | undefined> {
    for (let passed = 0; passed < PASS_MAX; passed++) {
      const name = round.left.at(-1);
      if (name === undefined) return undefined;
      const log = this.#options.logs.find(name.topic, name.partition);
      const after = this.#checkpoint?.after;
      const closed = log?.closed.firstAfter(doneOf(name, after));
      if (log === undefined || closed === undefined) {
        round.left.pop();
        continue;
      }
      try {
        return { log, check: await SegmentCheck.open(log.closed, closed) };
      } catch (error) {
        await this.#judge(log, closed, error);
        this.#passed(log, closed);
      }
    }
    return undefined;
  }

  async #read(log: PartitionLog, check: SegmentCheck): Promise<CheckStep> {
    try {
      return await check.step();
    } catch (error) {
      await this.#judge(log, check.closed, error);
      return { kind: 'end', bytes: 0, indexes: [] };
    }
  }

  async #endSegment(
    { log, check }: { log: PartitionLog; check: SegmentCheck },
    end: CheckStep,
  ): Promise<void> {
    const { closed } = check;
    const { logPath } = closed.segment;
    if (end.kind === 'damage')
      await this.#judge(log, closed, new CorruptionError(logPath, end.position, end.expected, end.found));
    if (end.kind === 'end' && end.indexes.length > 0) await this.#renewIndexes(log, check, end.indexes);
    this.#passed(log, closed);
    await this.#drop();
    if (this.#options.environment.clock.monotonicMs() - this.#savedMs >= SAVE_INTERVAL_MS) await this.#save();
  }

  #passed({ topic, partition }: PartitionLog, { baseOffset }: ClosedSegment): void {
    this.#failures = 0;
    this.#checkpoint = { ...this.#checkpoint, after: { topic, partition, baseOffset } };
  }

  /** `error` came up while the segment was read. What is not the log's own fault is thrown. */
  async #judge(log: PartitionLog, closed: ClosedSegment, error: unknown): Promise<void> {
    const isGone = error instanceof EnvironmentError && error.reason === 'not-found';
    if (!isReadFatal(error) && !isGone) {
      if (log.closed.holds(closed) && ++this.#failures < ATTEMPTS_MAX) throw error;
      return;
    }
    const { logger } = this.#options.environment;
    if (await takeOfflineIfDamaged(log, closed, error, logger)) this.#metrics.bad.add(1);
  }

  async #renewIndexes(
    log: PartitionLog,
    check: SegmentCheck,
    indexes: Extract<CheckStep, { kind: 'end' }>['indexes'],
  ): Promise<void> {
    const { logger } = this.#options.environment;
    await log.closed.whileHeld(check.closed, async () => {
      try {
        await check.saveIndexes();
      } catch (error) {
        if (!(error instanceof EnvironmentError)) throw error;
        logger.warn({ error: error.message }, 'an index that is wrong could not be replaced');
        return;
      }
      this.#metrics.indexes.add(indexes.length);
      const { topic, partition } = log;
      for (const index of indexes) logger.warn({ topic, partition, ...index }, 'made a wrong index anew');
    });
  }

  async #drop(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.check.close().catch(() => {});
  }

  /** Where the scrub is may be forgotten: a disk that refuses costs a part of a round. */
  async #save(): Promise<void> {
    const { files, clock } = this.#options.environment;
    const path = this.#checkpointPath();
    if (this.#checkpoint === undefined || path === undefined) return;
    this.#savedMs = clock.monotonicMs();
    await saveScrubCheckpoint(files, path, this.#checkpoint).catch(() => {});
  }
}

/** Begins with the rounds; undefined when they are turned off. */
export function startScrub(options: ScrubOptions): Scrubber | undefined {
  if (options.settings.bytesPerSecond <= 0) return undefined;
  const scrubber = new Scrubber(options);
  scrubber.start();
  return scrubber;
}

/** The date may jump: never negative. */
function elapsedMs(fromMs: number, nowMs: number): number {
  return Math.max(0, nowMs - fromMs);
}
