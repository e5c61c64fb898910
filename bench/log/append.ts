/** Appends to one partition without a sync, against writes of the same bytes through the same calls of the system. */
import { nodeFiles } from '../../src/env/node/index.ts';
import { count, fixed, printRow } from '../figures.ts';
import { batchOf, compare, copies, MiB, openLogs, quick, remove, root, seconds } from './world.ts';

/** Small enough for the page cache to take it at once: beyond it the disk would be measured. */
const BYTES = (quick ? 32 : 96) * MiB;
/** Batches that one write of the bare loop carries, and that the log may be behind. */
const GROUP = 64;

export async function benchAppend(): Promise<void> {
  for (const records of [10, 100, 1000]) {
    const batch = batchOf(records);
    const rounds = Math.floor(BYTES / batch.length);
    const { ours, bare, ratio } = await compare(
      () => append(batch, rounds, records),
      () => bareWrites(batch, rounds),
    );
    printRow({
      what: 'append',
      settings: `no sync, batches of ${records} x 100 B (${count(batch.length)} B)`,
      figures: {
        'MB/s': count(ours / 1e6),
        'records/s': count((ours / batch.length) * records),
        'bare writev MB/s': count(bare / 1e6),
        ratio: fixed(ratio, 2),
      },
    });
  }
}

async function append(batch: Uint8Array, rounds: number, records: number): Promise<number> {
  const { manager, logs } = await openLogs('append', { config: { writeCaching: true } });
  const [log] = logs;
  if (log === undefined) throw new Error('there is no log');
  const given = copies(batch, rounds);
  const start = performance.now();
  for (const [i, one] of given.entries()) {
    log.appendAsLeader(one, { leaderEpoch: 0, nowMs: 0 });
    if (i % GROUP === GROUP - 1) await log.whenWritten(log.logEndOffset - GROUP * GROUP * records);
  }
  await log.whenWritten(log.logEndOffset);
  const taken = seconds(start);
  await manager.close({ brokerEpoch: 1 });
  remove('append');
  return (rounds * batch.length) / taken;
}

async function bareWrites(batch: Uint8Array, rounds: number): Promise<number> {
  const given = copies(batch, rounds);
  const handle = await nodeFiles().open(`${root}/bare`, 'create');
  const start = performance.now();
  for (let i = 0; i < rounds; i += GROUP) await handle.write(given.slice(i, i + GROUP), i * batch.length);
  const taken = seconds(start);
  await handle.sync();
  await handle.close();
  remove('bare');
  return (rounds * batch.length) / taken;
}
