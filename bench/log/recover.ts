/** Reading a log again after an unclean stop: every checksum, indexes and producers made anew. */
import { count, printRow } from '../figures.ts';
import { fillLog } from './fill.ts';
import { dropPageCache, forgetCleanStop, MiB, openLogs, quick, remove, repeated, seconds } from './world.ts';

/** One segment: those before the last were durable before it began, and are not read again. */
const BYTES = (quick ? 256 : 1000) * MiB;

export async function benchRecover(): Promise<void> {
  for (const records of [10, 100]) {
    await fillLog('recover', BYTES, records);
    let bytes = 0;
    for (const cold of [true, false]) {
      if (cold && !dropPageCache()) continue;
      const reached = await repeated(async () => {
        forgetCleanStop('recover');
        if (cold) dropPageCache();
        const start = performance.now();
        const { manager, logs } = await openLogs('recover');
        const taken = seconds(start);
        bytes = logs[0]?.sizeBytes ?? 0;
        await manager.close({ brokerEpoch: 1 });
        return bytes / taken;
      });
      printRow({
        what: 'recover',
        settings: `${count(bytes / 1e6)} MB, batches of ${records} x 100 B, ${cold ? 'cold' : 'warm'}`,
        figures: { 'MB/s': count(reached / 1e6) },
      });
    }
    remove('recover');
  }
}
