/** Sequential reads of closed segments, against reads of the same file in steps of the same size. */
import { nodeFiles } from '../../src/env/node/index.ts';
import type { PartitionLog } from '../../src/log/index.ts';
import { batchLastOffset, batchSizeBytes } from '../../src/log/record/index.ts';
import { count, fixed, printRow } from '../figures.ts';
import { fillLog } from './fill.ts';
import { compare, dropPageCache, MiB, openLogs, pathOf, quick, remove, seconds } from './world.ts';

const BYTES = (quick ? 128 : 256) * MiB;

export async function benchRead(): Promise<void> {
  await fillLog('read', BYTES, 100);
  for (const cold of [true, false])
    for (const [step, maxBytes] of [
      ['1 MiB', MiB],
      ['64 KiB', 64 * 1024],
    ] as const) {
      const isCold = cold && dropPageCache();
      if (cold && !isCold) continue;
      const { ours, bare, ratio } = await compare(
        () => readLog(maxBytes, isCold),
        () => readFile(maxBytes, isCold),
      );
      printRow({
        what: 'read',
        settings: `sequential, ${step}, ${isCold ? 'cold: page cache dropped' : 'warm'}`,
        figures: {
          'MB/s': count(ours / 1e6),
          'bare read MB/s': count(bare / 1e6),
          ratio: fixed(ratio, 2),
        },
      });
    }
  remove('read');
}

async function readLog(maxBytes: number, cold: boolean): Promise<number> {
  const { manager, logs } = await openLogs('read');
  const log = logs[0] as PartitionLog;
  const bytes = log.sizeBytes;
  if (cold) dropPageCache();
  const start = performance.now();
  for (let next = 0; next < log.logEndOffset; ) {
    const read = await log.read(next, { maxBytes, upperBound: log.logEndOffset, atLeastOne: true });
    next = lastOffsetOf(read.batches) + 1;
  }
  const taken = seconds(start);
  await manager.close({ brokerEpoch: 1 });
  return bytes / taken;
}

async function readFile(maxBytes: number, cold: boolean): Promise<number> {
  const handle = await nodeFiles().open(pathOf('read'), 'read');
  const bytes = await handle.sizeBytes();
  if (cold) dropPageCache();
  const start = performance.now();
  for (let at = 0; at < bytes; at += maxBytes) await handle.read(Buffer.allocUnsafeSlow(maxBytes), at);
  const taken = seconds(start);
  await handle.close();
  return bytes / taken;
}

function lastOffsetOf(batches: readonly Uint8Array[]): number {
  const some = batches.at(-1) ?? new Uint8Array();
  let last = 0;
  for (let at = 0; at < some.length; at += batchSizeBytes(some, at)) last = batchLastOffset(some, at);
  return last;
}
