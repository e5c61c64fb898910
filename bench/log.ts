/**
 * What the log costs, as ratios to a bare loop over the file system in the same process, for machines differ.
 * Run: node bench/log.ts [directory]
 */
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { SILENT } from '../src/env/index.ts';
import { nodeFiles, nodeRandom } from '../src/env/node/index.ts';
import { DEFAULT_LOG_CONFIG, type LogManager, openLogManager, type PartitionLog } from '../src/log/index.ts';
import { BatchBuilder, batchLastOffset, decodeRecords } from '../src/log/record/index.ts';

const root = `${process.argv[2] ?? tmpdir()}/quorate-bench-log-${process.pid}`;
const MiB = 1024 * 1024;
const VALUE = Buffer.alloc(100, 'x');

const seconds = (startMs: number): number => (performance.now() - startMs) / 1000;
const report = (name: string, figures: Record<string, number | string>): void => {
  const text = Object.entries(figures).map(
    ([key, value]) => `${key} ${typeof value === 'number' ? round(value) : value}`,
  );
  console.log(`${name.padEnd(44)} ${text.join('   ')}`);
};
const round = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);

function batchOf(count: number): Uint8Array {
  const builder = new BatchBuilder({ compression: 'none', capacityBytes: 128 * count + 128 });
  for (let i = 0; i < count; i++) builder.append({ value: VALUE, timestampMs: 1_700_000_000_000 + i });
  return builder.build();
}

/** `count` equal batches, each in memory of its own: a log owns what it is given. */
const copies = (batch: Uint8Array, count: number): Uint8Array[] =>
  Array.from({ length: count }, () => Buffer.from(batch));

async function openLog(
  name: string,
  writeCaching: boolean,
): Promise<{ manager: LogManager; log: PartitionLog }> {
  const manager = await openLogManager({
    directory: `${root}/${name}`,
    environment: { files: nodeFiles(), logger: SILENT, random: nodeRandom() },
    defaults: DEFAULT_LOG_CONFIG,
    tailCacheBytes: 64 * MiB,
  });
  const config = { ...DEFAULT_LOG_CONFIG, writeCaching };
  const log =
    manager.find('bench', 0) ?? (await manager.create('bench', 0, 'AAAAAAAAAAAAAAAAAAAAAQ', config));
  return { manager, log };
}

function benchRecords(): void {
  for (const count of [1, 10, 100, 1000]) {
    const rounds = 400_000 / count;
    for (const warm of [true, false]) {
      let start = performance.now();
      let batch = new Uint8Array();
      for (let i = 0; i < rounds; i++) batch = batchOf(count) as Uint8Array<ArrayBuffer>;
      const encode = (rounds * count) / seconds(start);
      start = performance.now();
      let decoded = 0;
      for (let i = 0; i < rounds; i++) decoded += decodeRecords(batch).length;
      const decode = decoded / seconds(start);
      if (!warm) report(`records of 100 B, ${count} a batch`, { 'encoded/s': encode, 'decoded/s': decode });
    }
  }
}

async function benchAppend(): Promise<void> {
  for (const count of [10, 100, 1000]) {
    const batch = batchOf(count);
    const rounds = Math.floor((192 * MiB) / batch.length);
    const bytes = rounds * batch.length;
    const bare = await bareWrites(batch, rounds);
    const { manager, log } = await openLog(`append-${count}`, true);
    const given = copies(batch, rounds);
    const start = performance.now();
    for (const [i, one] of given.entries()) {
      log.appendAsLeader(one, { leaderEpoch: 0, nowMs: 0 });
      if (i % 64 === 63) await log.whenWritten(log.logEndOffset - 64 * 64 * count);
    }
    await log.whenWritten(log.logEndOffset);
    const taken = seconds(start);
    report(`append without sync, ${batch.length} B batches`, {
      'MB/s': bytes / 1e6 / taken,
      'records/s': (rounds * count) / taken,
      'bare writev MB/s': bytes / 1e6 / bare,
      ratio: bare / taken,
    });
    await manager.close({ brokerEpoch: 1 });
  }
}

/**
 * Seconds to write the batch `rounds` times, 64 in a write, through the same asynchronous calls of node:fs.
 */
async function bareWrites(batch: Uint8Array, rounds: number): Promise<number> {
  const given = copies(batch, rounds);
  const handle = await nodeFiles().open(`${root}/bare-${batch.length}`, 'create');
  const start = performance.now();
  for (let i = 0; i < rounds; i += 64) await handle.write(given.slice(i, i + 64), i * batch.length);
  const taken = seconds(start);
  await handle.close();
  return taken;
}

/** Seconds to read the file in steps of `stepBytes`, through the same asynchronous calls. */
async function bareReads(path: string, bytes: number, stepBytes: number): Promise<number> {
  const handle = await nodeFiles().open(path, 'read');
  const start = performance.now();
  for (let at = 0; at < bytes; at += stepBytes) await handle.read(Buffer.allocUnsafeSlow(stepBytes), at);
  const taken = seconds(start);
  await handle.close();
  return taken;
}

async function benchAcknowledged(): Promise<void> {
  const { manager, log } = await openLog('acknowledged', false);
  for (const writers of [1, 16, 64, 256]) {
    const batch = batchOf(10);
    const total = Math.min(40_000, writers * 1500);
    const given = copies(batch, total);
    const latencies: number[] = [];
    const write = async (): Promise<void> => {
      for (let one = given.pop(); one !== undefined; one = given.pop()) {
        const start = performance.now();
        const { lastOffset } = log.appendAsLeader(one, { leaderEpoch: 0, nowMs: 0 });
        await log.whenFlushed(lastOffset + 1);
        latencies.push(performance.now() - start);
      }
    };
    const start = performance.now();
    await Promise.all(Array.from({ length: writers }, write));
    const taken = seconds(start);
    latencies.sort((a, b) => a - b);
    report(`acknowledged after sync, ${writers} writers of 10 x 100 B`, {
      'records/s': (total * 10) / taken,
      'p50 ms': latencies[Math.floor(total / 2)] ?? 0,
      'p99 ms': latencies[Math.floor(total * 0.99)] ?? 0,
    });
  }
  await manager.close({ brokerEpoch: 1 });
}

async function benchReadAndRecover(): Promise<void> {
  const path = `${root}/append-100/bench-0/00000000000000000000.log`;
  const { manager, log } = await openLog('append-100', true);
  const bytes = log.sizeBytes;
  for (const [label, maxBytes] of [
    ['1 MiB', MiB],
    ['64 KiB', 64 * 1024],
  ] as const) {
    const start = performance.now();
    for (let next = 0; next < log.logEndOffset; ) {
      const read = await log.read(next, { maxBytes, upperBound: log.logEndOffset, atLeastOne: true });
      next = lastOffsetOf(read.batches) + 1;
    }
    const taken = seconds(start);
    const bare = await bareReads(path, bytes, maxBytes);
    report(`sequential read of a file, ${label}`, {
      'MB/s': bytes / 1e6 / taken,
      'bare MB/s': bytes / 1e6 / bare,
      ratio: bare / taken,
    });
  }
  await manager.close({ brokerEpoch: 1 });
  rmSync(`${root}/append-100/.kafka_cleanshutdown`);
  rmSync(`${root}/append-100/recovery-point-offset-checkpoint`);
  const start = performance.now();
  const again = await openLog('append-100', true);
  report('recovery after an unclean stop', { 'MB/s': bytes / 1e6 / seconds(start) });
  await again.manager.close({ brokerEpoch: 1 });
}

function lastOffsetOf(batches: readonly Uint8Array[]): number {
  const some = batches.at(-1) ?? new Uint8Array();
  let last = 0;
  for (
    let at = 0;
    at < some.length;
    at += Buffer.from(some.buffer, some.byteOffset + at, 12).readInt32BE(8) + 12
  )
    last = batchLastOffset(some, at);
  return last;
}

mkdirSync(root, { recursive: true });
try {
  benchRecords();
  await benchAppend();
  await benchReadAndRecover();
  await benchAcknowledged();
} finally {
  rmSync(root, { recursive: true });
}
