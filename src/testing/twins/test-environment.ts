import { SeededRandom } from '../../base/index.ts';
import type { Environment } from '../../env/index.ts';
import { VirtualClock, VirtualTimers } from './clock.ts';
import type { Latency } from './latency.ts';
import { MemoryFiles } from './memory-files.ts';
import { MemoryMetrics } from './memory-metrics.ts';
import { MemoryStores } from './memory-stores.ts';
import { RecordingLogger } from './recording-logger.ts';
import { Scheduler } from './scheduler.ts';
import { type FatalEnd, TestExit } from './test-exit.ts';

export interface TestEnvironmentOptions {
  /** Draws everything; the same seed gives the same run. */
  readonly seed: number;
  /** Shared by the nodes of one simulation; its own when absent. */
  readonly scheduler?: Scheduler;
  /** Tells nodes of one simulation apart: each draws its own numbers of the same seed. */
  readonly name?: string;
  /** How long the disk takes; absent: no time at all. */
  readonly disk?: Latency;
  readonly skewMs?: number;
  /** Speed of this node's clocks; 1 when absent. */
  readonly rate?: number;
  readonly onFatal?: (end: FatalEnd) => void;
}

/** The world of one node, made of twins. */
export interface TestEnvironment extends Environment {
  readonly scheduler: Scheduler;
  readonly clock: VirtualClock;
  readonly timers: VirtualTimers;
  readonly random: SeededRandom;
  readonly files: MemoryFiles;
  readonly stores: MemoryStores;
  readonly logger: RecordingLogger;
  readonly metrics: MemoryMetrics;
  readonly exit: TestExit;
  /** The process ends; its disk stays as the cache has it. Gives the environment of the next process on this disk. */
  kill(): TestEnvironment;
  /** The power fails: what was not synced may be lost. Gives the environment of the next process on this disk. */
  crash(): TestEnvironment;
}

export function createTestEnvironment(options: TestEnvironmentOptions): TestEnvironment {
  const scheduler =
    options.scheduler ?? new Scheduler({ random: new SeededRandom(options.seed, 'schedule') });
  const random = new SeededRandom(options.seed, options.name ?? '');
  const latency = options.disk === undefined ? {} : { latency: options.disk };
  const files = new MemoryFiles(latency);
  const stores = new MemoryStores({ ...latency, files });
  return nextProcess({ ...options, scheduler }, { scheduler, random, files, stores });
}

function nextProcess(
  options: TestEnvironmentOptions,
  machine: Pick<TestEnvironment, 'scheduler' | 'random' | 'files' | 'stores'>,
): TestEnvironment {
  const rate = { rate: options.rate ?? 1 };
  const timers = new VirtualTimers(machine.scheduler, { ...rate, owner: options.name });
  const files = machine.files.forProcess();
  const logger = new RecordingLogger(options.name === undefined ? {} : { node: options.name });
  let isAlive = true;
  const die = (): void => {
    isAlive = false;
    timers.stop();
  };
  const onEnd = (end: FatalEnd): void => {
    timers.stop();
    // What still runs of a process that was killed says nothing of the next.
    if (isAlive) options.onFatal?.(end);
  };
  return {
    scheduler: machine.scheduler,
    random: machine.random,
    files,
    stores: machine.stores.forProcess(files),
    timers,
    clock: new VirtualClock(machine.scheduler, { ...rate, skewMs: options.skewMs ?? 0 }),
    logger,
    metrics: new MemoryMetrics(),
    exit: new TestExit({ logger, onEnd }),
    kill() {
      die();
      machine.files.kill(machine.random);
      machine.stores.kill(machine.random);
      return nextProcess(options, machine);
    },
    crash() {
      die();
      machine.files.crash(machine.random);
      machine.stores.crash(machine.random);
      return nextProcess(options, machine);
    },
  };
}
