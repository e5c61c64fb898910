import { describe } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import {
  createTestEnvironment,
  MemoryFiles,
  MemoryMetrics,
  MemoryStores,
  RecordingLogger,
  Scheduler,
  VirtualClock,
  VirtualTimers,
} from '../../src/testing/twins/index.ts';
import { clockContract } from './clock-contract.ts';
import { filesContract } from './files-contract.ts';
import { keyValueStoreContract } from './key-value-store-contract.ts';
import { loggerContract } from './logger-contract.ts';
import { metricsContract } from './metrics-contract.ts';
import { randomContract } from './random-contract.ts';

describe('files in memory', () => {
  filesContract(async () => {
    const files = new MemoryFiles();
    await files.makeDirectory('/data');
    return { files, directory: '/data' };
  });
});

describe('stores in memory', () => {
  keyValueStoreContract(async () => ({ stores: new MemoryStores(), directory: '/data/store' }));
});

describe('stores in memory, on files in memory', () => {
  keyValueStoreContract(async () => ({
    stores: createTestEnvironment({ seed: 1 }).stores,
    directory: '/data/store',
  }));
});

describe('the virtual clock', () => {
  clockContract(() => {
    const scheduler = new Scheduler({ random: new SeededRandom(1) });
    return {
      clock: new VirtualClock(scheduler),
      timers: new VirtualTimers(scheduler),
      finish: (promise) => scheduler.finish(promise, 10_000_000_000),
    };
  });
});

describe('seeded random numbers', () => {
  randomContract(() => new SeededRandom(42));
});

describe('the recording logger', () => {
  loggerContract(() => {
    const logger = new RecordingLogger();
    return { logger, lines: () => logger.lines.map((line) => ({ ...line, fields: { ...line.fields } })) };
  });
});

describe('metrics in memory', () => {
  metricsContract(() => {
    const metrics = new MemoryMetrics();
    return {
      metrics,
      value: async (name) => metrics.value(name),
      count: async (name) => metrics.observed(name).length,
    };
  });
});
