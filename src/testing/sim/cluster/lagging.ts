/**
 * A follower of a healthy cluster that reaches its leader no more leaves the in-sync set, although the controllers hear of both as
 * ever; the others stay, and what waits for all that are in sync goes on. A deletion waits for it: it lives, and may lead again. It is
 * back soon after its link is.
 * Source: KIP-16 (replica.lag.time.max.ms).
 */
import { type NodeId, SeededRandom, type TopicPartition } from '../../../base/index.ts';
import { Deletion, endOf, partitionsOf } from './deletion.ts';
import { oneOf } from './faults/index.ts';
import { LawBroken } from './law-broken.ts';
import type { Machine } from './machine.ts';
import { patienceMs } from './patience.ts';
import { quickMs } from './quickness.ts';
import { type Expect, isWhole } from './recovery.ts';
import { Sending } from './sending.ts';
import type { SimWorld } from './world.ts';

/** By default. */
const LAG_MAX_MS = 30_000;
/** A leader looks after its followers twice within the longest lag. */
const LOOKS = 2;
const IN_SYNC_MS = 30_000;

/** Nothing when no partition has a follower, or the options do not say so. */
export async function expectRemoval(world: SimWorld, expect: Expect, areEqual: () => boolean): Promise<void> {
  const link = world.options.lagging === true ? drawLink(world) : undefined;
  if (link === undefined) return;
  const lagMs = Number(world.options.settings['replica.lag.time.max.ms'] ?? LAG_MAX_MS);
  const removedMs = lagMs + lagMs / LOOKS + quickMs(world);
  const backMs = IN_SYNC_MS + patienceMs(world);
  cut(world, link);
  world.note(`in the end: cut: ${link.map(({ name }) => name).join(' | ')}`);
  world.trace.count('followers cut off in the end');
  const client = world.client('lagging');
  const sending = new Sending(world, client, ['cut off'], removedMs + 2 * backMs);
  await expect(
    'who cannot reach its leader is not in sync',
    removedMs,
    () => partitionsOf(world).filter((one) => !isAsReached(world, link, one)).length === 0,
  );
  const law = 'what waits for all in sync waits for nobody else';
  await expect(law, quickMs(world), () => sending.isWherePossible);
  const ends = partitionsOf(world).map((one) => ({ ...one, before: endOf(world, one.topic, one.partition) }));
  const deletion = new Deletion(world, client, ends, 2 * backMs);
  await world.run(() => false, quickMs(world));
  world.network.heal();
  await expect('who reaches its leader again is in sync', backMs, () => isWhole(world) && areEqual());
  await expect('what too few had is acknowledged', backMs, () => sending.isAcknowledged);
  const isDeleted = (): boolean =>
    deletion.outcomes.length > 0 && deletion.outcomes.every(({ error }) => error === 'NONE');
  await expect('a deletion waits for who was cut off, and no longer', backMs, isDeleted);
  await client.close({ timeoutMs: 0 });
}

type Link = readonly [Machine, Machine];

/** Between a leader and a follower of it; undefined: nobody follows. */
function drawLink(world: SimWorld): Link | undefined {
  const links = partitionsOf(world).flatMap(({ topic, partition }) => {
    const state = world.findLeading(topic, partition)?.state;
    const ids = state?.replicas.filter((id) => id !== state.nodeId) ?? [];
    return ids.map((id): Link => [world.machine(state?.nodeId ?? id), world.machine(id)]);
  });
  return oneOf(links, new SeededRandom(world.options.seed, 'lagging'));
}

function cut({ network }: SimWorld, [a, b]: Link): void {
  network.cut(a.name, b.name);
  network.cut(b.name, a.name);
}

/** True when those are in sync, and only those, that reach the leader. These stay all the time: or the run has failed. */
function isAsReached(world: SimWorld, [a, b]: Link, { topic, partition }: TopicPartition): boolean {
  const state = world.findLeading(topic, partition)?.state;
  if (state === undefined) return false;
  const { nodeId, replicas, isr } = state;
  const ids: readonly NodeId[] = [a.plan.id, b.plan.id];
  const isCutOff = (id: NodeId): boolean => id !== nodeId && ids.includes(id) && ids.includes(nodeId);
  const gone = replicas.filter((id) => !isr.isr.includes(id));
  const lost = gone.find((id) => !isCutOff(id));
  if (lost !== undefined)
    world.fail(
      new LawBroken('who reaches its leader stays in sync', { topic, partition, leader: nodeId, lost }),
    );
  return gone.length === replicas.filter(isCutOff).length;
}
