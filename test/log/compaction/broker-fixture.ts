import {
  DEFAULT_LOG_CONFIG,
  type LogConfig,
  type LogManager,
  openLogManager,
  type PartitionLog,
} from '../../../src/log/index.ts';
import { BatchBuilder } from '../../../src/log/record/index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../../src/testing/twins/index.ts';

const CONFIG: LogConfig = {
  ...DEFAULT_LOG_CONFIG,
  ...{ segmentBytes: 400, compacts: true, deletes: false, minCleanableDirtyRatio: 0.5 },
};
const TOPIC_ID = 'dG9waWMtaWQtb2YtdGVzdA';

/** Some logs on one disk. */
export class Broker {
  readonly environment: TestEnvironment;
  manager!: LogManager;
  bytesPerSecond = Number.MAX_VALUE;
  keyMapBytes = 1_000_000;

  constructor(environment = createTestEnvironment({ seed: 5 })) {
    this.environment = environment;
  }

  static async open(environment?: TestEnvironment): Promise<Broker> {
    const broker = new Broker(environment);
    broker.manager = await openLogManager({
      directories: [{ path: '/data' }],
      environment: broker.environment,
      defaults: CONFIG,
      tailCacheBytes: 0,
    });
    return broker;
  }

  create(topic: string, config: Partial<LogConfig> = {}): Promise<PartitionLog> {
    return this.manager.create(topic, 0, TOPIC_ID, { ...CONFIG, ...config });
  }

  async fill(log: PartitionLog, count: number, keys = 2): Promise<void> {
    for (let i = 0; i < count; i++) {
      const builder = new BatchBuilder({ compression: 'none' });
      const value = Buffer.from('.'.repeat(40));
      builder.append({
        key: Buffer.from(`k${i % keys}`),
        value,
        timestampMs: this.environment.clock.wallMs(),
      });
      log.appendAsLeader(builder.build(), { leaderEpoch: 0, nowMs: this.environment.clock.wallMs() });
    }
    await log.whenFlushed(log.logEndOffset);
    log.setHighWatermark(log.logEndOffset);
  }

  compact(): Promise<void> {
    const { clock, timers } = this.environment;
    const { keyMapBytes, bytesPerSecond } = this;
    return this.manager.compact({ clock, timers, keyMapBytes, bytesPerSecond });
  }

  logged(message: string) {
    return this.environment.logger.find(message).map(({ fields }) => fields);
  }
}
