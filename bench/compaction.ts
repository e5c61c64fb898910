/**
 * What compaction costs: one partition is filled with records of few keys, then compacted once, with nothing else going on,
 * and again with a timer beside it that says for how long the event loop stood still.
 * Run: node bench/compaction.ts [--megabytes n]
 */
import { parseArgs } from 'node:util';
import { SeededRandom } from '../src/base/index.ts';
import { SILENT } from '../src/env/index.ts';
import { createNodeEnvironment, makeTemporaryDirectory } from '../src/env/node/index.ts';
import { DEFAULT_LOG_CONFIG, openLogManager } from '../src/log/index.ts';
import { BatchBuilder, type CompressionType } from '../src/log/record/index.ts';
import { levelStores } from '../src/raft/index.ts';
import { count, describeMachine, fixed, printRow } from './figures.ts';

const { values } = parseArgs({ options: { megabytes: { type: 'string', default: '256' } } });
const megabytes = Number(values.megabytes);
const MEGABYTE = 1e6;
const BATCH_RECORDS = 50;
const TICK_MS = 1;
const environment = createNodeEnvironment({ stores: levelStores(), logger: SILENT });
const { clock, timers } = environment;

interface Load {
  readonly name: string;
  readonly valueBytes: number;
  readonly keys: number;
  readonly compression: CompressionType;
}

async function run({ name, valueBytes, keys, compression }: Load): Promise<void> {
  const directory = await makeTemporaryDirectory('quorate-bench-compaction-');
  const config = { ...DEFAULT_LOG_CONFIG, segmentBytes: 32 * MEGABYTE, compacts: true, deletes: false };
  const manager = await openLogManager({
    directories: [{ path: directory }],
    environment,
    defaults: config,
    tailCacheBytes: 1,
  });
  const log = await manager.create('t', 0, 'dG9waWMtaWQtb2YtdGVzdA', config);
  const random = new SeededRandom(1);
  const value = Buffer.from(random.bytes(valueBytes));
  let records = 0;
  while (log.sizeBytes < megabytes * MEGABYTE) {
    const builder = new BatchBuilder({ compression });
    for (let i = 0; i < BATCH_RECORDS; i++, records++)
      builder.append({ key: Buffer.from(`key-${random.integer(0, keys)}`), value, timestampMs: records });
    log.appendAsLeader(builder.build(), { leaderEpoch: 0, nowMs: records });
    if (records % 100_000 < BATCH_RECORDS) await log.whenFlushed(log.logEndOffset);
  }
  await log.whenFlushed(log.logEndOffset);
  log.setHighWatermark(log.logEndOffset);
  const before = log.sizeBytes;
  let [worstMs, lastMs] = [0, clock.monotonicMs()];
  const watch = setInterval(() => {
    const nowMs = clock.monotonicMs();
    worstMs = Math.max(worstMs, nowMs - lastMs - TICK_MS);
    lastMs = nowMs;
  }, TICK_MS);
  const startMs = clock.monotonicMs();
  await manager.compact({ clock, timers, keyMapBytes: 134_217_728, bytesPerSecond: Number.MAX_VALUE });
  const seconds = (clock.monotonicMs() - startMs) / 1000;
  clearInterval(watch);
  printRow({
    what: 'compaction',
    settings: `${name}, ${fixed(before / MEGABYTE, 0)} MB to ${fixed(log.sizeBytes / MEGABYTE, 0)} MB`,
    figures: {
      'MB/s': fixed(before / MEGABYTE / seconds, 0),
      'records/s': count(records / seconds),
      'longest stop of the event loop ms': fixed(worstMs, 1),
    },
  });
  await manager.close({ brokerEpoch: 1 });
  await environment.files.removeDirectory(directory);
}

console.log(describeMachine());
await run({ name: '100 B records, 1 M keys', valueBytes: 100, keys: 1_000_000, compression: 'none' });
await run({ name: '100 B records, 10 K keys', valueBytes: 100, keys: 10_000, compression: 'none' });
await run({ name: '1 KB records, 10 K keys', valueBytes: 1000, keys: 10_000, compression: 'none' });
await run({ name: '100 B records, 10 K keys, lz4', valueBytes: 100, keys: 10_000, compression: 'lz4' });
await run({ name: '100 B records, 10 K keys, zstd', valueBytes: 100, keys: 10_000, compression: 'zstd' });
