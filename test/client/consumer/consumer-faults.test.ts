/**
 * The promise of the consumer under random faults: every record once, in order, whatever happens to streams,
 * fetches and leaders.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, SeededRandom } from '../../../src/base/index.ts';
import { clientWorld } from '../client-world.ts';
import type { Fate } from '../fake-cluster.ts';

const PARTITIONS = 3;
const REFUSALS: ErrorCode[] = [
  'NOT_LEADER_OR_FOLLOWER',
  'OFFSET_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'UNKNOWN_LEADER_EPOCH',
];

function fateOf(random: SeededRandom): Fate {
  const delays = { thereMs: random.float() * 20, backMs: random.float() * 20 };
  const chance = random.float();
  if (chance < 0.08) return { ...delays, cut: 'before' };
  if (chance < 0.1) return { ...delays, silent: true };
  if (chance < 0.2)
    return { ...delays, refuse: REFUSALS[random.integer(0, REFUSALS.length)] ?? 'NETWORK_EXCEPTION' };
  return delays;
}

async function scene(seed: number) {
  const random = new SeededRandom(seed, 'scene');
  const world = clientWorld({ seed });
  const { cluster, client, environment } = world;
  cluster.createTopic('t', PARTITIONS);
  cluster.faults = (kind) => (kind === 'fetch' && environment.scheduler.nowMs < 5000 ? fateOf(random) : {});
  const strike = (): void => {
    cluster.frozen.clear();
    if (environment.scheduler.nowMs > 5000) return;
    for (let index = 0; index < PARTITIONS; index++)
      if (random.float() < 0.4) cluster.moveLeader('t', index, random.integer(0, 3));
    if (random.float() < 0.3) cluster.frozen.add(random.integer(0, 3));
    cluster.hints = random.float() < 0.5;
    environment.timers.after(50 + random.float() * 500, strike);
  };
  environment.timers.after(20, strike);
  const consumer = client.consumer({
    topic: 't',
    from: 'beginning',
    requestTimeoutMs: 1500,
    maxPartitionBytes: 200 + random.integer(0, 2000),
    prefetchBytes: 1000 + random.integer(0, 10_000),
  });
  const read = new Map<number, string[]>();
  const reading = (async () => {
    for await (const { partition, value } of consumer)
      read.set(partition, [...(read.get(partition) ?? []), String(value)]);
  })();
  const producer = client.producer({ batchSize: 1 });
  for (let i = 0; i < 60; i++) {
    const records = Array.from({ length: random.integer(1, 6) }, (_, j) => ({ value: `${i}.${j}` }));
    await world.finish(producer.send('t', records));
    await world.run(random.float() * 100);
  }
  const total = (): number => [...read.values()].reduce((sum, { length }) => sum + length, 0);
  const written = [...cluster.partitions.values()].map((partition) => partition.values());
  const all = written.reduce((sum, { length }) => sum + length, 0);
  await environment.scheduler.runUntil(() => total() >= all, 60_000);
  await world.finish(consumer.close());
  await world.finish(reading);
  return { read, written };
}

describe('consumer under faults', () => {
  it('gives every record once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0 }), async (seed) => {
        const { read, written } = await scene(seed);
        written.forEach((values, partition) => {
          expect(read.get(partition) ?? []).toEqual(values);
        });
      }),
      { numRuns: 12 },
    );
  });
});
