import { SeededRandom } from '../../../src/base/index.ts';
import {
  DEFAULT_LOG_CONFIG,
  type LogConfig,
  type LogManager,
  openLogManager,
  type PartitionLog,
  type Scrubber,
  type ScrubSettings,
  startScrub,
} from '../../../src/log/index.ts';
import { BatchBuilder } from '../../../src/log/record/index.ts';
import { createTestEnvironment, Scheduler, type TestEnvironment } from '../../../src/testing/twins/index.ts';
import { TOPIC_ID } from '../log-fixture.ts';

const everySeventh = (i: number): number => Math.floor(i / 7);
export const HOUR_MS = 3_600_000;
const SETTINGS: ScrubSettings = { bytesPerSecond: 5_000_000, intervalMs: HOUR_MS };

/** The logs of one broker and their scrub, in virtual time. */
export class ScrubWorld {
  environment: TestEnvironment;
  manager!: LogManager;
  scrubber: Scrubber | undefined;
  /** What the scrub met that was no damage. */
  readonly reported: unknown[] = [];
  readonly config: LogConfig;
  readonly settings: ScrubSettings;

  constructor(
    options: {
      seed?: number;
      diskMs?: number;
      config?: Partial<LogConfig>;
      settings?: Partial<ScrubSettings>;
    } = {},
  ) {
    const { seed = 1, diskMs } = options;
    const scheduler = new Scheduler({ random: new SeededRandom(seed, 'schedule') });
    const random = new SeededRandom(seed, 'disk');
    const disk = { scheduler, delayMs: () => (diskMs ?? 0) * random.float() };
    this.environment = createTestEnvironment({ seed, scheduler, ...(diskMs === undefined ? {} : { disk }) });
    this.config = { ...DEFAULT_LOG_CONFIG, segmentBytes: 1000, indexIntervalBytes: 200, ...options.config };
    this.settings = { ...SETTINGS, ...options.settings };
  }

  static async open(options: ConstructorParameters<typeof ScrubWorld>[0] = {}): Promise<ScrubWorld> {
    const world = new ScrubWorld(options);
    await world.openLogs();
    return world;
  }

  async openLogs({ tailCacheBytes = 0 } = {}): Promise<void> {
    const { environment } = this;
    this.manager = await this.run(
      openLogManager({
        directories: [{ path: '/data' }],
        environment,
        defaults: this.config,
        tailCacheBytes,
      }),
    );
  }

  async log(topic: string, partition = 0): Promise<PartitionLog> {
    return (
      this.manager.find(topic, partition) ??
      (await this.manager.create(topic, partition, TOPIC_ID, this.config))
    );
  }

  /** A log of `count` batches of `bytes` bytes or so each, flushed. */
  async filled(
    topic: string,
    count: number,
    options: { bytes?: number; partition?: number; epochOf?: (i: number) => number } = {},
  ): Promise<PartitionLog> {
    const log = await this.run(this.log(topic, options.partition ?? 0));
    for (let i = 0; i < count; i++)
      this.append(log, { bytes: options.bytes ?? 200, epoch: (options.epochOf ?? everySeventh)(i) });
    await this.run(log.whenFlushed(log.logEndOffset));
    return log;
  }

  append(log: PartitionLog, options: { bytes?: number; epoch?: number; key?: string } = {}): void {
    const { bytes = 200, epoch = Math.max(0, log.latestEpoch), key } = options;
    const builder = new BatchBuilder({ compression: 'none' });
    builder.append({
      ...(key === undefined ? {} : { key: Buffer.from(key) }),
      value: Buffer.from('v'.repeat(Math.max(1, bytes - 70))),
      timestampMs: 1000 + log.logEndOffset,
    });
    log.appendAsLeader(builder.build(), { leaderEpoch: epoch, nowMs: 5000 });
  }

  startScrub(): void {
    this.scrubber = startScrub({
      logs: this.manager,
      settings: this.settings,
      environment: this.environment,
      directory: () => '/data',
      report: (error) => this.reported.push(error),
    });
  }

  /** Runs until one more round has ended. */
  async round(): Promise<void> {
    const before = this.lastRoundEndMs;
    const done = await this.environment.scheduler.runUntil(
      () => this.lastRoundEndMs !== before,
      3 * this.settings.intervalMs,
    );
    if (!done) throw new Error('no round ended');
  }

  get lastRoundEndMs(): number {
    return this.environment.metrics.value('log_scrub_last_round_end_ms') ?? Number.NaN;
  }

  metric(name: string): number {
    return this.environment.metrics.value(name) ?? Number.NaN;
  }

  async stop(): Promise<void> {
    await this.run(this.scrubber?.close() ?? Promise.resolve());
    await this.run(this.manager.close({ brokerEpoch: 1 }));
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.environment.scheduler.finish(promise, 10 * HOUR_MS);
  }

  random(name: string): SeededRandom {
    return new SeededRandom(7, name);
  }
}
