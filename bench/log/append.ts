/** Appends to one partition without a sync, against writes of the same bytes through the same calls of the system. */
import { setImmediate } from 'node:timers/promises';
import { nodeFiles } from '../../src/env/node/index.ts';
import { count, fixed, printRow } from '../figures.ts';
import { batchOf, compare, copies, MiB, openLogs, quick, remove, root, seconds } from './world.ts';

/** Small enough for the page cache to take it at once: beyond it the disk would be measured. */
const BYTES = (quick ? 32 : 96) * MiB;
/** What arrives in one turn of the event loop, and what one write of the bare loop carries. */
const TURN_BYTES = 256 * 1024;
/** How far the log may be behind. */
const TURNS_BEHIND = 16;

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
  const group = groupOf(batch);
  const start = performance.now();
  for (const [i, one] of given.entries()) {
    log.appendAsLeader(one, { leaderEpoch: 0, nowMs: 1_700_000_000_000 });
    if (i % group !== group - 1) continue;
    // As between two messages from the network: else no write that has ended is heard of.
    await setImmediate();
    await log.whenWritten(log.logEndOffset - TURNS_BEHIND * group * records);
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
  const group = groupOf(batch);
  const start = performance.now();
  for (let i = 0; i < rounds; i += group) await handle.write(given.slice(i, i + group), i * batch.length);
  const taken = seconds(start);
  await handle.sync();
  await handle.close();
  remove('bare');
  return (rounds * batch.length) / taken;
}

const groupOf = (batch: Uint8Array): number => Math.max(1, Math.floor(TURN_BYTES / batch.length));
