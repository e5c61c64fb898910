import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestStored, type PartitionLog } from '../../../src/log/index.ts';
import { batches } from '../../../src/log/record/index.ts';
import { batchOf } from '../log-fixture.ts';
import { ScrubWorld } from './scrub-world.ts';

const ALL = Number.MAX_SAFE_INTEGER;

async function digest(world: ScrubWorld, log: PartitionLog, from: number, to: number, maxBytes = ALL) {
  return world.run(digestStored(log, { fromOffset: from, toOffset: to, maxBytes }, async () => {}));
}

/** The same of what a reader gets. */
async function digestRead(log: PartitionLog, from: number, to: number): Promise<string> {
  const hash = createHash('sha256');
  const read = await log.read(log.logStartOffset, { maxBytes: ALL, upperBound: ALL, atLeastOne: true });
  for (const stored of read.batches)
    for (const { header, bytes } of batches(stored))
      if (header.baseOffset >= from && header.baseOffset < to) hash.update(bytes);
  return hash.digest('hex');
}

describe('the digest of stored batches', () => {
  it('is that of all batches that begin in the stretch, over segments and pieces', async () => {
    const world = await ScrubWorld.open({ config: { segmentBytes: 700_000 } });
    const log = await world.filled('a', 30, { bytes: 100_000 });
    for (const [from, to] of [
      [0, 30],
      [3, 17],
      [6, 7],
      [9, 9],
    ] as const) {
      const found = await digest(world, log, from, to);
      const hash = createHash('sha256');
      for (let at = from; at < to; at++) {
        const read = await log.readStored(at, { maxBytes: 1, upperBound: ALL, atLeastOne: true });
        for (const bytes of read.batches) hash.update(bytes);
      }
      expect(found).toMatchObject({ digest: hash.digest('hex'), batches: to - from, nextOffset: to });
    }
    await world.stop();
  });

  it('goes on, after its most bytes, where it says', async () => {
    const world = await ScrubWorld.open();
    const log = await world.filled('a', 20);
    const { bytes } = await digest(world, log, 0, 1);
    const first = await digest(world, log, 0, 20, 3 * bytes);
    expect(first).toMatchObject({ batches: 3, nextOffset: 3 });
    const rest = await digest(world, log, first.nextOffset, 20);
    expect(rest).toMatchObject({ batches: 17, nextOffset: 20 });
    await world.stop();
  });

  it('is of the disk, also while memory has the same records', async () => {
    const world = new ScrubWorld();
    await world.openLogs({ tailCacheBytes: 1_000_000 });
    const log = await world.filled('a', 4);
    const before = await digest(world, log, 0, 4);
    expect(before.digest).toBe(await digestRead(log, 0, 4));
    const path = log.closed.list()[0]?.segment.logPath ?? '/data/a-0/00000000000000000000.log';
    world.environment.files.flipBit(path, 150 * 8);
    await log.read(0, { maxBytes: ALL, upperBound: ALL, atLeastOne: true });
    await expect(digest(world, log, 0, 4)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    await world.stop();
  });

  it('leaves out a batch that begins below the stretch, and takes one whole that ends above it', async () => {
    const world = await ScrubWorld.open();
    const log = await world.run(world.log('a'));
    for (let i = 0; i < 3; i++)
      log.appendAsLeader(batchOf(['x', 'y', `${i}`]), { leaderEpoch: 0, nowMs: 5000 });
    await world.run(log.whenFlushed(9));
    const second = await digest(world, log, 3, 6);
    expect(second).toMatchObject({ batches: 1, nextOffset: 6 });
    expect(await digest(world, log, 1, 4)).toMatchObject({ digest: second.digest, nextOffset: 4 });
    expect(await digest(world, log, 4, 6)).toMatchObject({ batches: 0, nextOffset: 6 });
    await world.stop();
  });
});
