import { SeededRandom } from '../../src/base/index.ts';
import { type Files, SILENT, type Timers } from '../../src/env/index.ts';
import {
  type DataDirectory,
  DEFAULT_LOG_CONFIG,
  type LogConfig,
  type LogManager,
  type LogManagerOptions,
  type LogRead,
  openLogManager,
  type PartitionLog,
} from '../../src/log/index.ts';
import {
  BatchBuilder,
  type BatchBuilderOptions,
  batches,
  decodeRecords,
} from '../../src/log/record/index.ts';
import { type FileOperation, MemoryFiles } from '../../src/testing/twins/index.ts';

export const TOPIC_ID = 'dG9waWMtaWQtb2YtdGVzdA';

/** A batch of one record per value. */
export function batchOf(
  values: readonly string[],
  options: Partial<BatchBuilderOptions> & { timeMs?: number } = {},
): Uint8Array {
  const builder = new BatchBuilder({ compression: 'none', ...options });
  for (const [i, value] of values.entries())
    builder.append({ value: Buffer.from(value), timestampMs: (options.timeMs ?? 1000) + i });
  return builder.build();
}

/** Values of the records read, in order, from `from` on. */
export function valuesOf(read: LogRead, from = 0): string[] {
  return read.batches
    .flatMap((some) => [...batches(some)])
    .flatMap(({ bytes }) => [...decodeRecords(bytes)])
    .filter((record) => record.offset >= from)
    .map((record) => Buffer.from(record.value ?? []).toString());
}

/** The files as one process sees them: after its death nothing it still asks for is heard. */
class ProcessFiles implements Files {
  readonly #files: Files;
  #alive = true;

  constructor(files: Files) {
    this.#files = files;
  }

  die(): void {
    this.#alive = false;
  }

  #ask<T>(call: () => Promise<T>): Promise<T> {
    return this.#alive ? call() : new Promise(() => {});
  }

  open: Files['open'] = (path, mode) => this.#ask(() => this.#files.open(path, mode));
  list: Files['list'] = (directory) => this.#ask(() => this.#files.list(directory));
  stat: Files['stat'] = (path) => this.#ask(() => this.#files.stat(path));
  makeDirectory: Files['makeDirectory'] = (path) => this.#ask(() => this.#files.makeDirectory(path));
  rename: Files['rename'] = (from, to) => this.#ask(() => this.#files.rename(from, to));
  remove: Files['remove'] = (path) => this.#ask(() => this.#files.remove(path));
  removeDirectory: Files['removeDirectory'] = (path) => this.#ask(() => this.#files.removeDirectory(path));
  syncDirectory: Files['syncDirectory'] = (directory) =>
    this.#ask(() => this.#files.syncDirectory(directory));
  lock: Files['lock'] = (path) => this.#ask(() => this.#files.lock(path));
}

/** One log named t-0 on a memory disk that can be crashed. */
export class LogFixture {
  readonly files: MemoryFiles;
  readonly config: LogConfig;
  readonly tailCacheBytes: number;
  directories: readonly DataDirectory[];
  readonly #seed: number;
  readonly #timers: Timers | undefined;
  manager!: LogManager;
  log!: PartitionLog;
  /** What the manager has warned of, over all starts. */
  readonly warnings: { readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[] = [];
  #opened = 0;
  #process: ProcessFiles | undefined;

  constructor(
    options: {
      config?: Partial<LogConfig>;
      tailCacheBytes?: number;
      files?: MemoryFiles;
      directories?: readonly DataDirectory[];
      seed?: number;
      /** Without them nothing is delayed. */
      timers?: Timers;
    } = {},
  ) {
    this.files = options.files ?? new MemoryFiles();
    // Tests have times of their own.
    const timestampAfterMaxMs = Number.MAX_SAFE_INTEGER;
    this.config = { ...DEFAULT_LOG_CONFIG, timestampAfterMaxMs, ...options.config };
    this.directories = options.directories ?? [{ path: '/data' }];
    this.tailCacheBytes = options.tailCacheBytes ?? 1024 * 1024;
    this.#seed = options.seed ?? 1;
    this.#timers = options.timers;
  }

  static async open(options: ConstructorParameters<typeof LogFixture>[0] = {}): Promise<LogFixture> {
    const fixture = new LogFixture(options);
    await fixture.reopen();
    return fixture;
  }

  /** Opens the directory and the log, making it when missing. */
  async reopen(): Promise<void> {
    this.manager = await openLogManager({
      directories: this.directories,
      environment: this.environment,
      defaults: this.config,
      tailCacheBytes: this.tailCacheBytes,
      openSegmentsMax: 2,
    });
    this.log = this.manager.find('t', 0) ?? (await this.manager.create('t', 0, TOPIC_ID, this.config));
  }

  get environment(): LogManagerOptions['environment'] {
    this.#process = new ProcessFiles(this.files);
    return {
      files: this.#process,
      logger: { ...SILENT, warn: (fields, message) => void this.warnings.push({ fields, message }) },
      random: new SeededRandom(this.#seed, `open ${this.#opened++}`),
      ...(this.#timers === undefined ? {} : { timers: this.#timers }),
    };
  }

  append(values: readonly string[], options: Parameters<typeof batchOf>[1] & { epoch?: number } = {}) {
    return this.log.appendAsLeader(batchOf(values, options), {
      leaderEpoch: options.epoch ?? 0,
      nowMs: 5000,
    });
  }

  async flushed(): Promise<void> {
    await this.log.whenFlushed(this.log.logEndOffset);
  }

  /** Everything that was begun with the files of the log is done. */
  async settled(): Promise<void> {
    await this.flushed();
    // A cut to the end changes nothing, after all that was to be done before.
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      await this.log.truncateTo(this.log.logEndOffset);
    }
  }

  /** All values from `from` to the end, read in steps of `maxBytes`. */
  async values(from = this.log.logStartOffset, maxBytes = 1_000_000): Promise<string[]> {
    const found: string[] = [];
    for (let next = from; next < this.log.logEndOffset; ) {
      const read = await this.log.read(next, {
        maxBytes,
        upperBound: this.log.logEndOffset,
        atLeastOne: true,
      });
      if (read.batches.length === 0) throw new Error(`nothing at ${next} below ${this.log.logEndOffset}`);
      found.push(...valuesOf(read, next));
      const last = [...batches(read.batches.at(-1) ?? new Uint8Array())].at(-1);
      next = (last?.header.lastOffset ?? next) + 1;
    }
    return found;
  }

  /** Holds matching operations back until released; `arrived` resolves when the first one came. */
  hold(operation: FileOperation, pathEnd: string): { release: () => void; arrived: Promise<void> } {
    const perform = this.files.perform.bind(this.files);
    let release = (): void => {};
    let arrive = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    this.files.perform = async <T>(one: FileOperation, path: string, effect: () => T): Promise<T> => {
      if (one !== operation || !path.endsWith(pathEnd)) return perform(one, path, effect);
      arrive();
      await released;
      return perform(one, path, effect);
    };
    return { release, arrived };
  }

  /** Every operation on a path with this end, as it comes. */
  watch(pathEnd: string): FileOperation[] {
    const seen: FileOperation[] = [];
    const perform = this.files.perform.bind(this.files);
    this.files.perform = (operation, path, effect) => {
      if (path.endsWith(pathEnd)) seen.push(operation);
      return perform(operation, path, effect);
    };
    return seen;
  }

  /** Stops cleanly and opens again. */
  async restart(): Promise<void> {
    await this.manager.close({ brokerEpoch: 7 });
    await this.reopen();
  }

  /** The process dies, the machine lives; opens again. */
  async kill(seed = 1): Promise<void> {
    this.#process?.die();
    this.files.kill(new SeededRandom(seed));
    await this.reopen();
  }

  /** The power fails; opens again. */
  async crash(seed = 1): Promise<void> {
    this.#process?.die();
    this.files.crash(new SeededRandom(seed));
    await this.reopen();
  }
}
