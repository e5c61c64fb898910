import { expect, it } from 'vitest';
import { ApiError, type Random, SeededRandom } from '../../../src/base/index.ts';
import { sleep } from '../../../src/env/index.ts';
import type { PartitionLog } from '../../../src/log/index.ts';
import { TOPIC_ID } from '../log-fixture.ts';
import { ScrubWorld } from './scrub-world.ts';

const SEEDS = 60;
const OPERATIONS = 120;

/** Everything that takes away, replaces or adds files, in any order, while the scrub reads without a rest. */
async function change(world: ScrubWorld, random: Random): Promise<void> {
  const log = world.manager.find('a', 0);
  // It is being made anew.
  if (log === undefined) return;
  const offset = log.logStartOffset + random.integer(0, log.logEndOffset - log.logStartOffset + 1);
  switch (random.integer(0, 11)) {
    case 0:
      return log.truncateTo(offset);
    case 1:
      return random.float() < 0.3 ? log.truncateFullyAndStartAt(offset) : undefined;
    case 2:
      log.setHighWatermark(offset);
      return log.advanceLogStart(Math.min(offset, log.highWatermark));
    case 3:
      log.setHighWatermark(log.logEndOffset);
      log.config = { ...world.config, retentionBytes: 3000 };
      return log.applyRetention(6000);
    case 4:
      if (random.float() > 0.2) return;
      await world.manager.delete('a', 0);
      await world.manager.create('a', 0, TOPIC_ID, world.config);
      return;
    case 5:
      log.assignEpoch(log.latestEpoch + 1, log.logEndOffset);
      return;
    case 6:
    case 7: {
      log.setHighWatermark(log.logEndOffset);
      const { clock, timers } = world.environment;
      return world.manager.compact({ clock, timers, keyMapBytes: 10_000, bytesPerSecond: 1e9 });
    }
    default:
      for (let i = random.integer(1, 12); i > 0; i--) appendSome(world, log, random);
  }
}

function appendSome(world: ScrubWorld, log: PartitionLog, random: Random): void {
  const epoch = Math.max(0, log.latestEpoch) + (random.float() < 0.1 ? 1 : 0);
  world.append(log, { bytes: random.integer(80, 500), epoch, key: `k${random.integer(0, 5)}` });
}

it(`cuts, retention, deletion, compaction, rolls and changes of epoch are never taken for damage, over ${SEEDS} seeds`, async () => {
  let bytes = 0;
  let compacted = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = new ScrubWorld({
      seed,
      diskMs: 3,
      config: {
        segmentBytes: 1200,
        compacts: seed % 2 === 0,
        minCleanableDirtyRatio: 0,
        deleteRetentionMs: 0,
      },
      settings: { bytesPerSecond: 1e9, intervalMs: 1 },
    });
    await world.openLogs();
    await world.run(world.manager.create('a', 0, TOPIC_ID, world.config));
    world.startScrub();
    await world.run(history(world, new SeededRandom(seed, 'changes')));
    const { logger } = world.environment;
    expect(logger.lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
    expect(world.reported).toEqual([]);
    expect(world.metric('log_scrub_batches_bad_total')).toBe(0);
    expect(world.metric('log_scrub_indexes_renewed_total')).toBe(0);
    bytes += world.metric('log_scrub_bytes_total');
    compacted += logger.find('compacted a log').length;
    await world.stop();
  }
  expect(compacted / SEEDS).toBeGreaterThan(1);
  expect(bytes / SEEDS).toBeGreaterThan(20_000);
}, 120_000);

async function history(world: ScrubWorld, random: Random): Promise<void> {
  const pending: Promise<void>[] = [];
  for (let i = 0; i < OPERATIONS; i++) {
    await sleep(world.environment.timers, random.float() * 20);
    const done = changeOrRefuse(world, random);
    pending.push(done);
    // Often the next change comes while this one is under way.
    if (random.float() < 0.6) await done;
  }
  await Promise.all(pending);
}

async function changeOrRefuse(world: ScrubWorld, random: Random): Promise<void> {
  try {
    await change(world, random);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
