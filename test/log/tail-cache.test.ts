import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import { type Metrics, NO_METRICS, SILENT } from '../../src/env/index.ts';
import { DEFAULT_LOG_CONFIG, openLogManager } from '../../src/log/index.ts';
import { LogTail, TailCache } from '../../src/log/read/tail-cache.ts';
import { MemoryFiles } from '../../src/testing/twins/index.ts';
import { batchOf, TOPIC_ID } from './log-fixture.ts';

/** Batches as they come out of one received message. */
function message(count: number, sizeBytes: number): Uint8Array[] {
  const whole = new Uint8Array(sizeBytes);
  const batch = batchOf(['a']);
  return Array.from({ length: count }, (_, i) => {
    const piece = whole.subarray(i * batch.length, (i + 1) * batch.length);
    piece.set(batch);
    return piece;
  });
}

describe('the memory of recent appends', () => {
  it('counts a message whole while a batch of it is held, and once', () => {
    const cache = new TailCache(10_000);
    const [one, two] = [new LogTail(cache, () => 0), new LogTail(cache, () => 0)];
    const [first, second] = message(2, 4000);
    one.push(first ?? new Uint8Array());
    two.push(second ?? new Uint8Array());
    expect(cache.sizeBytes).toBe(4000);
    one.clear();
    expect(cache.sizeBytes).toBe(4000);
    two.clear();
    expect(cache.sizeBytes).toBe(0);
  });

  it('lets go of the oldest messages when their memory, not their batches, exceeds the limit', () => {
    const cache = new TailCache(10_000);
    const tails = Array.from({ length: 5 }, () => new LogTail(cache, () => 1));
    for (const tail of tails) for (const batch of message(1, 4000)) tail.push(batch);
    expect(cache.sizeBytes).toBe(8000);
    expect(tails.map((tail) => tail.covers(0))).toEqual([false, false, false, true, true]);
  });

  it('tells how many bytes readers took from it and how many from files', async () => {
    const counted = new Map<string, number>();
    const counter: Metrics['counter'] = (name) => ({
      add: (count) => counted.set(name, (counted.get(name) ?? 0) + count),
    });
    const manager = await openLogManager({
      directories: [{ path: '/data' }],
      environment: {
        files: new MemoryFiles(),
        logger: SILENT,
        random: new SeededRandom(1, 'logs'),
        metrics: { ...NO_METRICS, counter },
      },
      defaults: DEFAULT_LOG_CONFIG,
      tailCacheBytes: 5000,
    });
    const log = await manager.create('t', 0, TOPIC_ID, DEFAULT_LOG_CONFIG);
    for (const batch of [message(1, 4000), message(1, 4000)].flat()) {
      log.appendAsLeader(batch, { leaderEpoch: 0, nowMs: 0 });
      await log.whenFlushed(log.logEndOffset);
    }
    const size = batchOf(['a']).length;
    await log.read(1, { maxBytes: 10_000, upperBound: 2, atLeastOne: true });
    await log.read(0, { maxBytes: 10_000, upperBound: 2, atLeastOne: true });
    expect(Object.fromEntries(counted)).toMatchObject({
      log_tail_hit_bytes_total: size,
      log_tail_miss_bytes_total: 2 * size,
    });
  });
});
