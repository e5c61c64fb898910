/**
 * The promise of the idempotent producer under random faults: broken streams, lost answers, stragglers of
 * streams that broke, refusals before and after the append, leaders that move, die, freeze. The brokers check
 * sequences as real ones do.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError, type ErrorCode, SeededRandom } from '../../../src/base/index.ts';
import type { Acknowledgement, ProducerOptions } from '../../../src/client/index.ts';
import { type ClientWorld, clientWorld } from '../client-world.ts';
import type { Fate } from '../fake-cluster.ts';

const PARTITIONS = 3;
const BEFORE: ErrorCode[] = [
  'NOT_ENOUGH_REPLICAS',
  'NOT_LEADER_OR_FOLLOWER',
  'KAFKA_STORAGE_ERROR',
  'CORRUPT_MESSAGE',
];
const EITHER: ErrorCode[] = [
  'REQUEST_TIMED_OUT',
  'UNKNOWN_SERVER_ERROR',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NETWORK_EXCEPTION',
];

function pick<T>(random: SeededRandom, list: readonly T[]): T {
  return list[random.integer(0, list.length)] as T;
}

function fateOf(random: SeededRandom): Fate {
  const delays = { thereMs: random.float() * 20, backMs: random.float() * 20 };
  const chance = random.float();
  if (chance < 0.06) return { ...delays, cut: 'before' };
  if (chance < 0.12) return { ...delays, cut: 'after' };
  if (chance < 0.14) return { ...delays, silent: true };
  if (chance < 0.2) return { ...delays, refuse: pick(random, BEFORE) };
  if (chance < 0.3) return { ...delays, refuse: pick(random, EITHER), appendFirst: random.float() < 0.6 };
  return delays;
}

/** Moves, kills, freezes and revives at random until `untilMs`; then everything is well. */
function trouble({ cluster, environment }: ClientWorld, random: SeededRandom, untilMs: number): void {
  cluster.faults = () => (environment.scheduler.nowMs < untilMs ? fateOf(random) : {});
  const strike = (): void => {
    cluster.down.clear();
    cluster.frozen.clear();
    if (environment.scheduler.nowMs >= untilMs) return;
    const chance = random.float();
    const victim = random.integer(0, 3);
    if (chance < 0.2) cluster.kill(victim);
    else if (chance < 0.35) cluster.frozen.add(victim);
    if (chance < 0.8)
      for (let index = 0; index < PARTITIONS; index++)
        if (random.float() < 0.5) cluster.moveLeader('t', index, (victim + 1 + random.integer(0, 2)) % 3);
    cluster.hints = random.float() < 0.5;
    environment.timers.after(50 + random.float() * 400, strike);
  };
  environment.timers.after(random.float() * 50, strike);
}

interface Sent {
  readonly value: string;
  readonly partition: number;
  readonly outcome: Promise<Acknowledgement | ApiError>;
}

async function scene(seed: number, options: ProducerOptions) {
  const random = new SeededRandom(seed, 'scene');
  const world = clientWorld({ seed });
  world.cluster.createTopic('t', PARTITIONS);
  if (random.float() < 0.3)
    for (const partition of world.cluster.partitions.values()) partition.maxBatchBytes = 300;
  trouble(world, random, 4000);
  const producer = world.client.producer({
    retryBackoffMs: 5 + random.integer(0, 50),
    retryBackoffMaxMs: 300,
    requestTimeoutMs: 1000,
    lingerMs: random.integer(0, 3) * 5,
    batchSize: pick(random, [1, 200, 16_384]),
    ...options,
  });
  const sent: Sent[] = [];
  for (let i = 0; i < 120; i++) {
    const partition = random.integer(0, PARTITIONS);
    const value = `${i}:${'x'.repeat(random.integer(0, 60))}`;
    const outcome = producer.send('t', { value, partition }).catch((error: ApiError) => error);
    sent.push({ value, partition, outcome });
    if (random.float() < 0.5) await world.run(random.float() * 60);
  }
  await world.finish(producer.close());
  const outcomes = await Promise.all(sent.map(({ outcome }) => outcome));
  return { world, sent, outcomes };
}

describe('idempotent producer under faults', () => {
  it('writes every record once, in order, and tells where, when it has time enough', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0 }), async (seed) => {
        const { world, sent, outcomes } = await scene(seed, {});
        for (let index = 0; index < PARTITIONS; index++) {
          const mine = sent.filter(({ partition }) => partition === index).map(({ value }) => value);
          expect(world.cluster.partition('t', index).values()).toEqual(mine);
        }
        outcomes.forEach((outcome, i) => {
          if (outcome instanceof ApiError) throw outcome;
          const { partition, value } = sent[i] as Sent;
          expect(world.cluster.partition('t', partition).values()[outcome.offset]).toBe(value);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('never doubles a record, and means what it says of those it gave up, when it has too little time', async () => {
    let givenUp = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0 }), async (seed) => {
        const { world, sent, outcomes } = await scene(seed, { deliveryTimeoutMs: 300 });
        const logs = Array.from({ length: PARTITIONS }, (_, index) =>
          world.cluster.partition('t', index).values(),
        );
        for (const log of logs) expect(new Set(log).size).toBe(log.length);
        outcomes.forEach((outcome, i) => {
          const { partition, value } = sent[i] as Sent;
          const log = logs[partition] ?? [];
          if (!(outcome instanceof ApiError)) expect(log[outcome.offset]).toBe(value);
          else if (outcome.definite) expect(log).not.toContain(value);
          if (outcome instanceof ApiError) givenUp++;
        });
        for (const log of logs) {
          const acked = log
            .map((value) => sent.findIndex((one) => one.value === value))
            .filter((i) => !(outcomes[i] instanceof ApiError));
          expect(acked).toEqual(acked.toSorted((a, b) => a - b));
        }
      }),
      { numRuns: 60 },
    );
    expect(givenUp).toBeGreaterThan(100);
  });
});
