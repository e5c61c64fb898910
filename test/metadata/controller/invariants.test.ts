/** Random commands in random order: whatever is asked, what must hold of the image holds after every decision. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError, SeededRandom, shuffle } from '../../../src/base/index.ts';
import {
  decideAlterConfigs,
  decideCreateTopics,
  decideDeleteTopics,
  decideFenceExpired,
  decideUnregisterBroker,
} from '../../../src/metadata/controller/index.ts';
import {
  EMPTY_IMAGE,
  imageDigest,
  imageToRecords,
  type MetadataImage,
  type PartitionRegistration,
  replay,
} from '../../../src/metadata/index.ts';
import { ControllerFixture, id, topicRequest } from './fixture.ts';

const BROKERS = [1, 2, 3, 4];
const TOPICS = ['a', 'b', 'c'];

type Command = (f: ControllerFixture, random: SeededRandom) => void;

const pick = <T>(items: readonly T[], random: SeededRandom): T => items[random.integer(0, items.length)] as T;

const COMMANDS: readonly Command[] = [
  (f, random) => {
    f.register(pick(BROKERS, random), { incarnationId: id(random.integer(0, 1000), 1) });
  },
  (f, random) => {
    f.heartbeat(pick(BROKERS, random));
  },
  (f, random) => {
    f.heartbeat(pick(BROKERS, random));
  },
  (f, random) => {
    f.heartbeat(pick(BROKERS, random), { wantFence: true });
  },
  (f, random) => {
    f.heartbeat(pick(BROKERS, random), { wantShutdown: true });
  },
  (f, random) => {
    f.disconnect(pick(BROKERS, random));
  },
  (f) => {
    const expired = f.sessions.findExpired(f.image, f.nowMs);
    if (expired !== undefined) f.run((image, context) => decideFenceExpired(image, expired, context));
  },
  (f, random) => {
    if (random.integer(0, 10) === 0)
      f.run((image, context) => decideUnregisterBroker(image, pick(BROKERS, random), context));
  },
  (f, random) => {
    const configs = random.integer(0, 4) === 0 ? { 'unclean.leader.election.enable': 'true' } : {};
    const [partitions, replicationFactor] = [random.integer(1, 4), random.integer(1, 5)];
    const topic = topicRequest(pick(TOPICS, random), { partitions, replicationFactor, configs });
    const request = { topics: [topic], validateOnly: false, timeoutMs: 1 };
    f.run((image, context) => decideCreateTopics(image, request, context));
  },
  (f, random) => {
    if (random.integer(0, 4) > 0) return;
    const request = { topics: [{ name: pick(TOPICS, random) }], timeoutMs: 1 };
    f.run((image, context) => decideDeleteTopics(image, request, context));
  },
  (f, random) => {
    const topic = pick(TOPICS, random);
    const { replicas, leader } = f.partition(topic);
    const isr = shuffle([...replicas], random).slice(0, random.integer(0, replicas.length + 1));
    f.alterPartition(topic, random.integer(0, 3) === 0 || isr.includes(leader) ? isr : [leader, ...isr]);
  },
  (f, random) => {
    const value = String(random.integer(0, 2) === 0);
    const operations = [{ kind: 'set', name: 'unclean.leader.election.enable', value } as const];
    const change = { type: 'topic', name: pick(TOPICS, random), operations } as const;
    f.run((image, context) => decideAlterConfigs(image, { changes: [change], validateOnly: false }, context));
  },
];

function check(before: MetadataImage, image: MetadataImage): void {
  for (const { id: topicId, partitions } of image.topics.byName.values()) {
    const earlier = before.topics.findById(topicId)?.partitions;
    for (const [index, partition] of partitions.entries()) {
      checkPartition(image, partition);
      const old = earlier?.[index];
      if (old !== undefined) checkChange(old, partition);
    }
  }
  for (const broker of image.cluster.brokers.values())
    expect(broker.epoch).toBeGreaterThanOrEqual(before.cluster.brokers.get(broker.id)?.epoch ?? 0);
}

function checkPartition(
  image: MetadataImage,
  { replicas, isr, leader, leaderRecoveryState }: PartitionRegistration,
) {
  expect(new Set(replicas).size).toBe(replicas.length);
  expect(new Set(isr).size).toBe(isr.length);
  expect(isr.length).toBeGreaterThan(0);
  for (const member of isr) expect(replicas).toContain(member);
  const isActive = (broker: number) => {
    const registration = image.cluster.brokers.get(broker);
    return registration !== undefined && !registration.fenced && !registration.inControlledShutdown;
  };
  if (leader !== -1) {
    expect(isr).toContain(leader);
    expect(isActive(leader)).toBe(true);
  }
  if (isr.length > 1) for (const member of isr) expect(isActive(member)).toBe(true);
  if (leader === -1) expect(isr.some(isActive)).toBe(false);
  if (leaderRecoveryState === 'recovering') expect(isr).toHaveLength(1);
}

function checkChange(old: PartitionRegistration, now: PartitionRegistration): void {
  expect(now.leaderEpoch).toBeGreaterThanOrEqual(old.leaderEpoch);
  expect(now.partitionEpoch).toBeGreaterThanOrEqual(old.partitionEpoch);
  if (old === now) return;
  expect(now.partitionEpoch).toBeGreaterThan(old.partitionEpoch);
  if (old.leader !== now.leader) expect(now.leaderEpoch).toBeGreaterThan(old.leaderEpoch);
  // Whoever begins to lead without having to recover was in sync before.
  const isClean = now.leaderRecoveryState === 'recovered';
  if (now.leader !== -1 && isClean && old.leader !== now.leader) expect(old.isr).toContain(now.leader);
}

describe('any sequence of commands', () => {
  it('keeps leaders in sync, in-sync sets alive and epochs rising, in an image that its records make again', () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const f = new ControllerFixture(seed).start(1, 2, 3);
        const random = new SeededRandom(seed, 'commands');
        for (let step = 0; step < 80; step++) {
          const before = f.image;
          f.nowMs += random.integer(0, 2000);
          try {
            pick(COMMANDS, random)(f, random);
          } catch (error) {
            if (!(error instanceof ApiError) && !String(error).startsWith('Error: no ')) throw error;
          }
          if (f.image !== before) accepted += 1;
          check(before, f.image);
        }
        const again = imageToRecords(f.image).reduce(replay, EMPTY_IMAGE);
        expect(imageDigest(again)).toBe(imageDigest(f.image));
      }),
      { numRuns: 50 },
    );
    expect(accepted).toBeGreaterThan(700);
  });
});
