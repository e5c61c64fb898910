import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import { EXIT_STATUS, SILENT } from '../../src/env/index.ts';
import {
  createTestEnvironment,
  MemoryFiles,
  MemoryMetrics,
  MemoryStores,
  RecordingLogger,
  Scheduler,
  TestExit,
  VirtualClock,
  VirtualTimers,
} from '../../src/testing/twins/index.ts';
import { clockContract } from './clock-contract.ts';
import { exitContract } from './exit-contract.ts';
import { filesContract } from './files-contract.ts';
import { keyValueStoreContract } from './key-value-store-contract.ts';
import { loggerContract } from './logger-contract.ts';
import { metricsContract } from './metrics-contract.ts';
import { randomContract } from './random-contract.ts';
import { makeThrown } from './thrown.ts';

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

describe('the exit of a test', () => {
  const broken = {
    ...SILENT,
    error() {
      throw new Error('no space left on device');
    },
  };
  exitContract({
    async end(calls, logger) {
      const environment = createTestEnvironment({ seed: 1 });
      const exit = logger === 'throws' ? new TestExit({ logger: broken }) : environment.exit;
      const afterwards: string[] = [];
      environment.timers.after(0, () => afterwards.push('a timer set before'));
      for (const [reason, error] of calls) exit.fatal(reason, makeThrown(error));
      environment.timers.after(1, () => afterwards.push('a timer set after'));
      await environment.scheduler.runUntil(() => false, 10);
      const lines = environment.logger.lines.map((line) => ({ ...line, fields: { ...line.fields } }));
      const reason = exit.ends[0]?.reason;
      return { status: reason === undefined ? undefined : EXIT_STATUS[reason], lines, afterwards };
    },
  });

  it('tells whoever runs the node, once, and leaves the other nodes and the next process alone', async () => {
    const scheduler = new Scheduler({ random: new SeededRandom(1) });
    const ends: unknown[] = [];
    const one = createTestEnvironment({ seed: 1, scheduler, name: 'one', onFatal: (end) => ends.push(end) });
    const two = createTestEnvironment({ seed: 1, scheduler, name: 'two' });
    one.exit.fatal('storage', 'first');
    one.exit.fatal('bug', 'second');
    expect(ends).toEqual([{ reason: 'storage', error: 'first' }]);
    const ran: string[] = [];
    const next = one.kill();
    for (const [name, { timers }] of Object.entries({ one, two, next }))
      timers.after(1, () => ran.push(name));
    await scheduler.runUntil(() => false, 10);
    expect(ran.toSorted()).toEqual(['next', 'two']);
    next.exit.fatal('bug', 'again');
    expect(next.exit.ends).toHaveLength(1);
    expect(two.exit.ends).toEqual([]);
  });
});
