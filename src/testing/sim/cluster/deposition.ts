/**
 * A leader of a healthy cluster is cut off with one of its followers from everybody else, and takes records that nobody else gets:
 * another one leads. The leader of before hears of it first, cuts what the new one lacks, and goes on with that one's records. Its
 * follower, which hears nothing yet but from it, must not take what it is told then for news of the log that it has. In the end all
 * have the same. Source: KIP-101, KIP-279.
 */
import { SeededRandom, type TopicPartition } from '../../../base/index.ts';
import type { Expect } from './expect.ts';
import { oneOf } from './faults/index.ts';
import { followingsOf, replicasOn } from './followings.ts';
import { cutBothWays, healBothWays } from './links.ts';
import type { Machine } from './machine.ts';
import { patienceMs } from './patience.ts';
import { isWhole } from './recovery.ts';
import { Sending } from './sending.ts';
import type { SimWorld } from './world.ts';

const ACKNOWLEDGED_MS = 10_000;
/** Brokers that the controllers do not hear of are fenced by then, and their partitions have other leaders. */
const DEPOSED_MS = 30_000;
const STEP_MS = 30_000;
/** What the follower is told then, it is told by then. */
const TOLD_MS = 1_000;
const BEFORE = ['lost', 'lost too', 'lost as well'];

/** Nothing when no partition has three replicas, or the options do not say so. */
export async function expectDeposition(
  world: SimWorld,
  expect: Expect,
  areEqual: () => boolean,
): Promise<void> {
  const random = new SeededRandom(world.options.seed, 'deposition');
  if (world.options.deposition !== true) return;
  // Somebody is left who may lead.
  const following = oneOf(
    followingsOf(world).filter(({ replicaCount }) => replicaCount > 2),
    random,
  );
  if (following === undefined) return;
  const { place, leader, follower } = following;
  const stepMs = STEP_MS + patienceMs(world);
  const client = world.client('deposer');
  const send = async (law: string, ids: readonly string[], timeoutMs: number): Promise<void> => {
    const sending = new Sending(world, client, [place], { ids, timeoutMs, acks: 1 });
    await expect(law, timeoutMs, () => sending.isAcknowledged);
  };
  const others = world.machines.filter((machine) => machine !== leader && machine !== follower);
  for (const other of others) for (const one of [leader, follower]) cutBothWays(world, one, other);
  world.trace.count('leaders deposed in the end');
  await send('a leader that is cut off takes what it need not share', BEFORE, ACKNOWLEDGED_MS);
  await expect('who follows a leader that is cut off has its records', ACKNOWLEDGED_MS, () => {
    const [leads, follows] = [leader, follower].map((machine) => replicasOn([machine], place)[0]);
    return follows?.log.logEndOffset === leads?.log.logEndOffset;
  });
  await expect('a leader that is cut off is deposed', DEPOSED_MS, () => {
    const leading = world.leaderOf(place.topic, place.partition);
    return leading !== undefined && leading !== leader && leading !== follower;
  });
  for (const other of others) healBothWays(world, leader, other);
  await expect('a leader of before hears of the new one', stepMs, () => isCaughtUp(world, leader, place));
  const after = BEFORE.slice(0, random.integer(1, BEFORE.length + 1));
  await send('a new leader takes records', after, stepMs);
  await expect('a leader of before has the records of the new one', stepMs, () =>
    isCaughtUp(world, leader, place),
  );
  await world.run(() => false, TOLD_MS);
  world.network.heal();
  await expect('who followed a leader of before is in sync', stepMs, () => isWhole(world) && areEqual());
  await client.close({ timeoutMs: 0 });
}

function isCaughtUp(world: SimWorld, machine: Machine, place: TopicPartition): boolean {
  const leading = world.findLeading(place.topic, place.partition);
  const [own] = replicasOn([machine], place);
  if (leading === undefined || own === undefined || own.state.leaderEpoch !== leading.state.leaderEpoch)
    return false;
  return own.log.highWatermark === leading.log.logEndOffset;
}
