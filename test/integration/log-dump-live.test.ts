import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import { SILENT } from '../../src/env/index.ts';
import { nodeFiles } from '../../src/env/node/index.ts';
import {
  DEFAULT_LOG_CONFIG,
  findLogFiles,
  type Inspection,
  inspectLogFile,
  type LogConfig,
  openLogManager,
  type PartitionLog,
  segmentsOf,
} from '../../src/log/index.ts';
import { BatchBuilder, COMPRESSION_TYPES } from '../../src/log/record/index.ts';

const LOOKS = 40;
const CONFIG: LogConfig = { ...DEFAULT_LOG_CONFIG, segmentBytes: 60_000, indexIntervalBytes: 500 };

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quorate-live-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function look(): Promise<Inspection[]> {
  const found: Inspection[] = [];
  const files = nodeFiles();
  const paths = await findLogFiles(files, directory);
  for (const path of paths)
    for await (const one of inspectLogFile(files, path, { deep: true })) found.push(one);
  for (const path of segmentsOf(paths))
    for await (const one of inspectLogFile(files, path, { verifyIndex: true })) found.push(one);
  return found;
}

/** Appends, rolls, compacts and removes segments until told to stop. */
async function keepBusy(log: PartitionLog, isOver: () => boolean): Promise<void> {
  const random = new SeededRandom(log.partition);
  for (let round = 0; !isOver(); round++) {
    for (let i = 0; i < 20; i++) {
      const compression = COMPRESSION_TYPES[random.integer(0, COMPRESSION_TYPES.length)] ?? 'none';
      const builder = new BatchBuilder({ compression });
      for (let j = 0; j <= random.integer(0, 20); j++)
        builder.append({
          key: Buffer.from(`${random.integer(0, 50)}`),
          value: random.bytes(random.integer(0, 2000)),
          timestampMs: 1_700_000_000_000 + round,
        });
      log.appendAsLeader(builder.build(), { leaderEpoch: 0, nowMs: 1_700_000_000_000 });
    }
    await log.whenFlushed(log.logEndOffset);
    log.setHighWatermark(log.logEndOffset);
    const nowMs = 1_800_000_000_000;
    if (log.config.compacts) {
      const how = {
        nowMs,
        keyMapBytes: 1_000_000,
        secret: random.bytes(16),
        pace: async (): Promise<void> => {},
      };
      await log.compactor.clean(how);
    } else await log.applyRetention(nowMs);
  }
}

it('a log that is appended to, rolled, compacted and cut meanwhile is never shown as damaged', async () => {
  const manager = await openLogManager({
    directories: [{ path: directory }],
    environment: { files: nodeFiles(), logger: SILENT, random: new SeededRandom(1) },
    defaults: CONFIG,
    tailCacheBytes: 100_000,
  });
  const logs = [
    await manager.create('t', 0, 'dG9waWMtaWQtb2YtdGVzdA', {
      ...CONFIG,
      retentionBytes: 300_000,
      retentionMs: -1,
    }),
    await manager.create('c', 1, 'dG9waWMtaWQtb2YtdGVzdA', {
      ...CONFIG,
      compacts: true,
      deletes: false,
      minCleanableDirtyRatio: 0,
    }),
  ];
  let over = false;
  const busy = Promise.all(logs.map((log) => keepBusy(log, () => over)));
  let batches = 0;
  try {
    for (let i = 0; i < LOOKS; i++) {
      const found = await look();
      expect(found.filter(({ kind }) => kind === 'finding')).toEqual([]);
      batches += found.filter((one) => one.kind === 'row' && one.type === 'batch').length;
    }
  } finally {
    over = true;
    await busy;
    await manager.close({ brokerEpoch: 1 });
  }
  expect(batches).toBeGreaterThan(0);
  expect((await look()).filter(({ kind }) => kind !== 'row' && kind !== 'file')).toEqual([]);
});
