/**
 * A follower of a healthy cluster that cannot keep up leaves the in-sync set, although the controllers hear of it as ever; the others
 * stay, and what waits for all that are in sync goes on. Until then nobody is told of it. A deletion waits for the follower: it lives,
 * and may lead again. It is back soon after it can. Source: KIP-16 (replica.lag.time.max.ms).
 */
import type { TopicPartition } from '../../../base/index.ts';
import { VIRTUAL_EPOCH_MS } from '../../twins/index.ts';
import { Deletion, endOf } from './deletion.ts';
import type { Expect } from './expect.ts';
import { drawHindrance, type Hindrance } from './hindrance.ts';
import { LawBroken } from './law-broken.ts';
import { lookUpSince } from './lookups.ts';
import { lagMaxMs, patienceMs } from './patience.ts';
import { quickMs } from './quickness.ts';
import { isWhole } from './recovery.ts';
import { Traffic } from './traffic.ts';
import type { SimWorld } from './world.ts';

/** A leader looks after its followers twice within the longest lag. */
const LOOKS = 2;
/** Within the longest lag as well: who hears of something now and then must not pass for one that keeps up. */
const BATCHES = 8;
const IN_SYNC_MS = 30_000;

/** Nothing when no partition has a follower, or the options do not say so. */
export async function expectRemoval(world: SimWorld, expect: Expect, areEqual: () => boolean): Promise<void> {
  const hindrance = world.options.lagging === true ? drawHindrance(world) : undefined;
  if (hindrance === undefined) return;
  const lagMs = lagMaxMs(world);
  const removedMs = lagMs + lagMs / LOOKS + quickMs(world);
  const backMs = IN_SYNC_MS + patienceMs(world);
  world.note(`in the end: ${hindrance.name}`);
  world.trace.count(hindrance.name);
  hindrance.begin();
  const client = world.client('lagging');
  const { partitions } = hindrance;
  const timeoutMs = removedMs + 2 * backMs;
  const sinceMs = VIRTUAL_EPOCH_MS + Math.floor(world.scheduler.nowMs);
  const traffic = new Traffic(world, client, partitions, { everyMs: lagMs / BATCHES, timeoutMs });
  const topics = [...new Set(partitions.map(({ topic }) => topic))];
  // What was sent waits at its leaders for those that cannot have it.
  world.scheduler.after(quickMs(world), () => lookUpSince(world, client, topics, sinceMs));
  await expect(
    'who cannot keep up is not in sync',
    removedMs,
    () => partitions.filter((one) => !isAsHindered(world, hindrance, one)).length === 0,
  );
  traffic.end();
  const law = 'what waits for all in sync waits for nobody else';
  await expect(law, quickMs(world), () => traffic.isWherePossible);
  const ends = partitions.map((one) => ({ ...one, before: endOf(world, one.topic, one.partition) }));
  const deletion = new Deletion(world, client, ends, 2 * backMs);
  await world.run(() => false, quickMs(world));
  hindrance.end();
  await expect('who can keep up again is in sync', backMs, () => isWhole(world) && areEqual());
  await expect('what too few had is acknowledged', backMs, () => traffic.isAcknowledged);
  const isDeleted = (): boolean =>
    deletion.outcomes.length > 0 && deletion.outcomes.every(({ error }) => error === 'NONE');
  await expect('a deletion waits for who lives, and no longer', backMs, isDeleted);
  await client.close({ timeoutMs: 0 });
}

/** True when those are in sync, and only those, that can keep up. These stay all the time: or the run has failed. */
function isAsHindered(
  world: SimWorld,
  { hinders }: Hindrance,
  { topic, partition }: TopicPartition,
): boolean {
  const state = world.findLeading(topic, partition)?.state;
  if (state === undefined) return false;
  const { nodeId: leader, replicas, isr } = state;
  const gone = replicas.filter((id) => !isr.isr.includes(id));
  const lost = gone.find((id) => !hinders(id, leader));
  if (lost !== undefined)
    world.fail(new LawBroken('who keeps up stays in sync', { topic, partition, leader, lost }));
  return gone.length === replicas.filter((id) => hinders(id, leader)).length;
}
