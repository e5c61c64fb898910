/**
 * Reading a log again after an unclean stop: every checksum, indexes and producers made anew. What no recovery point
 * vouches for is written again as well, and synced. Against a bare loop that reads the same file.
 */
import { nodeFiles } from '../../src/env/node/index.ts';
import { count, fixed, printRow } from '../figures.ts';
import { fillLog } from './fill.ts';
import {
  compare,
  dropPageCache,
  forgetCleanStop,
  MiB,
  openLogs,
  pathOf,
  quick,
  remove,
  seconds,
} from './world.ts';

/** One segment: those before the last were durable before it began, and are not read again. */
const BYTES = (quick ? 256 : 1000) * MiB;

export async function benchRecover(): Promise<void> {
  for (const records of [10, 100]) {
    await fillLog('recover', BYTES, records);
    for (const cold of [true, false]) {
      if (cold && !dropPageCache()) continue;
      for (const synced of [true, false]) {
        const { ours, bare, ratio } = await compare(
          () => recover(cold, synced),
          () => bareReads(cold),
        );
        const state = `${cold ? 'cold' : 'warm'}, ${synced ? 'synced' : 'not synced'}`;
        printRow({
          what: 'recover',
          settings: `${count(BYTES / 1e6)} MB, batches of ${records} x 100 B, ${state}`,
          figures: {
            'MB/s': count(ours / 1e6),
            'bare reads MB/s': count(bare / 1e6),
            ratio: fixed(ratio, 2),
          },
        });
      }
    }
    remove('recover');
  }
}

async function recover(cold: boolean, synced: boolean): Promise<number> {
  forgetCleanStop('recover', synced);
  if (cold) dropPageCache();
  const start = performance.now();
  const { manager, logs } = await openLogs('recover');
  const taken = seconds(start);
  const bytes = logs[0]?.sizeBytes ?? 0;
  await manager.close({ brokerEpoch: 1 });
  return bytes / taken;
}

async function bareReads(cold: boolean): Promise<number> {
  if (cold) dropPageCache();
  const handle = await nodeFiles().open(pathOf('recover'), 'read');
  const chunk = Buffer.allocUnsafeSlow(MiB);
  const start = performance.now();
  let position = 0;
  for (let filled = -1; filled !== 0; position += filled) filled = await handle.read(chunk, position);
  const taken = seconds(start);
  await handle.close();
  return position / taken;
}
