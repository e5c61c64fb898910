/** Appends that wait for the sync: one partition under more and more writers, then the same writers over many. */
import type { FileHandle, Files } from '../../src/env/index.ts';
import { nodeFiles } from '../../src/env/node/index.ts';
import { count, fixed, median, printRow, quantile } from '../figures.ts';
import { batchOf, copies, openLogs, quick, remove, seconds } from './world.ts';

const RECORDS = 10;
const RUNS = quick ? 1 : 3;

export async function benchAcknowledge(): Promise<void> {
  for (const writers of [1, 16, 64, 256]) await acknowledge(1, writers);
  await acknowledge(100, 100);
  // With fewer open files than partitions, and with all of them open.
  for (const openSegmentsMax of [512, 2048]) await acknowledge(1000, 1000, openSegmentsMax);
}

interface Run {
  readonly recordsPerSecond: number;
  readonly syncsPerSecond: number;
  readonly writesPerSecond: number;
  readonly latenciesMs: readonly number[];
}

async function acknowledge(partitions: number, writers: number, openSegmentsMax = 512): Promise<void> {
  const runs: Run[] = [];
  for (let i = 0; i < RUNS; i++) runs.push(await runOnce(partitions, writers, openSegmentsMax));
  const latencies = runs.flatMap((run) => run.latenciesMs);
  const of = (pick: (run: Run) => number): string => count(median(runs.map(pick)));
  printRow({
    what: 'acknowledge',
    settings:
      `${count(partitions)} partition${partitions > 1 ? 's' : ''}, ${writers} writers of ${RECORDS} x 100 B` +
      (partitions > 512 ? `, ${openSegmentsMax} open` : ''),
    figures: {
      'records/s': of((run) => run.recordsPerSecond),
      'syncs/s': of((run) => run.syncsPerSecond),
      'writes/s': of((run) => run.writesPerSecond),
      'p50 ms': fixed(quantile(latencies, 0.5), 1),
      'p99 ms': fixed(quantile(latencies, 0.99), 1),
    },
  });
}

async function runOnce(partitions: number, writers: number, openSegmentsMax: number): Promise<Run> {
  const counted = countingFiles();
  const options = { count: partitions, files: counted.files, openSegmentsMax };
  const { manager, logs } = await openLogs('acknowledge', options);
  const total = Math.min(40_000, writers * 1500);
  const given = copies(batchOf(RECORDS), total);
  const latenciesMs: number[] = [];
  const write = async (_: unknown, writer: number): Promise<void> => {
    const log = logs[writer % logs.length];
    for (let one = given.pop(); one !== undefined && log !== undefined; one = given.pop()) {
      const start = performance.now();
      const { lastOffset } = log.appendAsLeader(one, { leaderEpoch: 0, nowMs: 1_700_000_000_000 });
      await log.whenFlushed(lastOffset + 1);
      latenciesMs.push(performance.now() - start);
    }
  };
  // The first append of a log saves its leader epoch.
  await Promise.all(
    logs.map((log) => {
      log.appendAsLeader(new Uint8Array(batchOf(1)), { leaderEpoch: 0, nowMs: 1_700_000_000_000 });
      return log.whenFlushed(1);
    }),
  );
  const before = { ...counted.calls };
  const start = performance.now();
  await Promise.all(Array.from({ length: writers }, write));
  const taken = seconds(start);
  const { syncs, writes } = counted.calls;
  await manager.close({ brokerEpoch: 1 });
  remove('acknowledge');
  return {
    recordsPerSecond: (total * RECORDS) / taken,
    syncsPerSecond: (syncs - before.syncs) / taken,
    writesPerSecond: (writes - before.writes) / taken,
    latenciesMs,
  };
}

function countingFiles(): { readonly files: Files; readonly calls: { syncs: number; writes: number } } {
  const calls = { syncs: 0, writes: 0 };
  const files = nodeFiles();
  const { open } = files;
  files.open = async (path, mode) => counting(await open(path, mode));
  const counting = (handle: FileHandle): FileHandle => {
    const sync = handle.sync.bind(handle);
    const write = handle.write.bind(handle);
    handle.sync = () => {
      calls.syncs++;
      return sync();
    };
    handle.write = (buffers, position) => {
      calls.writes++;
      return write(buffers, position);
    };
    return handle;
  };
  return { files, calls };
}
