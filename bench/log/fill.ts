import type { PartitionLog } from '../../src/log/index.ts';
import { batchOf, copies, openLogs } from './world.ts';

/** Batches that are in memory at a time. */
const GROUP = 256;

/** A log of so many bytes, in batches of so many records of 100 B, closed. */
export async function fillLog(name: string, bytes: number, records: number): Promise<void> {
  const { manager, logs } = await openLogs(name, { config: { writeCaching: true } });
  const log = logs[0] as PartitionLog;
  const batch = batchOf(records);
  while (log.sizeBytes < bytes) {
    for (const one of copies(batch, GROUP))
      log.appendAsLeader(one, { leaderEpoch: 0, nowMs: 1_700_000_000_000 });
    await log.whenWritten(log.logEndOffset);
  }
  await manager.close({ brokerEpoch: 1 });
}
