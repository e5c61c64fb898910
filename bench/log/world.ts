/** What the measurements of the log share: a directory of its own, logs in it, equal batches, and fair comparisons. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Files, SILENT } from '../../src/env/index.ts';
import { nodeFiles, nodeRandom } from '../../src/env/node/index.ts';
import {
  DEFAULT_LOG_CONFIG,
  type LogConfig,
  type LogManager,
  openLogManager,
  type PartitionLog,
} from '../../src/log/index.ts';
import { BatchBuilder } from '../../src/log/record/index.ts';
import { median } from '../figures.ts';

export const MiB = 1024 * 1024;
const VALUE = Buffer.alloc(100, 'x');
const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export const root = `${process.env.BENCH_DIR ?? tmpdir()}/quorate-bench-log-${process.pid}`;
export const quick = process.argv.includes('--quick');

/** Rounds of a comparison; each runs every contestant once. */
export const ROUNDS = quick ? 3 : 7;

export const seconds = (startMs: number): number => (performance.now() - startMs) / 1000;

export function batchOf(count: number): Uint8Array {
  const builder = new BatchBuilder({ compression: 'none', capacityBytes: 128 * count + 128 });
  for (let i = 0; i < count; i++) builder.append({ value: VALUE, timestampMs: 1_700_000_000_000 + i });
  return builder.build();
}

/** Bytes of a received message, of which batches are pieces. */
const MESSAGE_BYTES = 64 * 1024;

/** `count` equal batches, each in memory of its own, for a log owns what it is given: pieces of messages, as received. */
export function copies(batch: Uint8Array, count: number): Uint8Array[] {
  const perMessage = Math.max(1, Math.floor(MESSAGE_BYTES / batch.length));
  let message = new Uint8Array();
  return Array.from({ length: count }, (_, i) => {
    const at = (i % perMessage) * batch.length;
    if (at === 0) message = new Uint8Array(perMessage * batch.length);
    const piece = message.subarray(at, at + batch.length);
    piece.set(batch);
    return piece;
  });
}

export interface OpenedLogs {
  readonly manager: LogManager;
  readonly logs: readonly PartitionLog[];
}

/** Logs of one directory, made when they are not there. */
export async function openLogs(
  name: string,
  options: { config?: Partial<LogConfig>; count?: number; files?: Files; openSegmentsMax?: number } = {},
): Promise<OpenedLogs> {
  const config = { ...DEFAULT_LOG_CONFIG, ...options.config };
  const manager = await openLogManager({
    directories: [{ path: `${root}/${name}` }],
    environment: { files: options.files ?? nodeFiles(), logger: SILENT, random: nodeRandom() },
    defaults: config,
    tailCacheBytes: 64 * MiB,
    openSegmentsMax: options.openSegmentsMax ?? 512,
  });
  const logs = await Promise.all(
    Array.from(
      { length: options.count ?? 1 },
      async (_, i) => manager.find('bench', i) ?? (await manager.create('bench', i, TOPIC_ID, config)),
    ),
  );
  return { manager, logs };
}

export const pathOf = (name: string, partition = 0): string =>
  `${root}/${name}/bench-${partition}/00000000000000000000.log`;

export function remove(name: string): void {
  rmSync(`${root}/${name}`, { recursive: true, force: true });
}

/** As after a kill. `synced`: the recovery point vouches for all that is in the files, else for nothing. */
export function forgetCleanStop(name: string, synced: boolean): void {
  remove(`${name}/.kafka_cleanshutdown`);
  if (!synced) remove(`${name}/recovery-point-offset-checkpoint`);
}

/** True: what was read before comes from the disk again. Needs root. */
export function dropPageCache(): boolean {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '1');
    return true;
  } catch {
    return false;
  }
}

export interface Comparison {
  readonly ours: number;
  readonly bare: number;
  /** Median of the ratios of runs that followed each other. */
  readonly ratio: number;
}

/**
 * Medians of runs in turn, after one of each that does not count: the machine may be faster in one minute than in the
 * next. Each run resolves with what it reached in a second.
 */
export async function compare(ours: () => Promise<number>, bare: () => Promise<number>): Promise<Comparison> {
  const pairs: { ours: number; bare: number }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    collectGarbage();
    const bareFirst = round % 2 === 0;
    const before = bareFirst ? await bare() : 0;
    collectGarbage();
    const reached = await ours();
    collectGarbage();
    const pair = { ours: reached, bare: bareFirst ? before : await bare() };
    if (round > 0) pairs.push(pair);
  }
  return {
    ours: median(pairs.map((pair) => pair.ours)),
    bare: median(pairs.map((pair) => pair.bare)),
    ratio: median(pairs.map((pair) => pair.ours / pair.bare)),
  };
}

/** Median of runs, the first of which does not count. */
export async function repeated(run: () => Promise<number>): Promise<number> {
  const reached: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    collectGarbage();
    const one = await run();
    if (round > 0) reached.push(one);
  }
  return median(reached);
}

export async function inBenchDirectory(task: () => Promise<void>): Promise<void> {
  mkdirSync(root, { recursive: true });
  try {
    await task();
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
