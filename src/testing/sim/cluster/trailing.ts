/**
 * A follower of a healthy cluster that is always behind its leader, by less than the longest lag, stays in sync: it hears late and gets on.
 * So does one that was idle for long and hears late of the first record. Source: KIP-16 (replica.lag.time.max.ms).
 */
import { SeededRandom } from '../../../base/index.ts';
import type { Expect } from './expect.ts';
import { oneOf } from './faults/index.ts';
import { followingsOf, partitionsOf } from './followings.ts';
import { LawBroken } from './law-broken.ts';
import { lagMaxMs, patienceMs } from './patience.ts';
import { Traffic } from './traffic.ts';
import type { SimWorld } from './world.ts';

/** Of the longest lag, each way: a record may wait for two rounds, and is counted one later. */
const DELAY = 0.1;
/** A follower gives a leader up that answers much later. */
const DELAY_MAX_MS = 1_500;
/** Within one round several records come, so that the follower never has the last of them. */
const BATCHES = 4;
/** Longest lags: who is taken for one that lags has left by then. */
const LAGS = 2;

/** Nothing when no partition has a follower, when replies are small, or the options do not say so. */
export async function expectRetention(
  world: SimWorld,
  expect: Expect,
  areEqual: () => boolean,
): Promise<void> {
  const random = new SeededRandom(world.options.seed, 'trailing');
  const following = world.options.lagging === true ? oneOf(followingsOf(world), random) : undefined;
  if (following === undefined || !hasRoom(world)) return;
  const lagMs = lagMaxMs(world);
  const settledMs = lagMs + patienceMs(world);
  await world.run(() => false, lagMs);
  const names = [following.leader.name, following.follower.name];
  const delayMs = Math.min(DELAY * lagMs, DELAY_MAX_MS);
  delayLink(world, names, delayMs);
  world.trace.count('followers trailing in the end');
  const client = world.client('trailing');
  const partitions = partitionsOf(world);
  const traffic = new Traffic(world, client, partitions, {
    everyMs: (2 * delayMs) / BATCHES,
    timeoutMs: LAGS * settledMs,
  });
  await world.run(() => hasLost(world), LAGS * lagMs);
  traffic.end();
  if (hasLost(world)) throw new LawBroken('who trails a little stays in sync', { names });
  await expect('what is sent to who trails is acknowledged', settledMs, () => traffic.isAcknowledged);
  world.linkDelays.clear();
  await expect('who trailed has everything', settledMs, areEqual);
  await client.close({ timeoutMs: 0 });
}

/** True when one reply has room for all partitions: from a disk each takes as much of it as it may have. */
function hasRoom({ options }: SimWorld): boolean {
  return options.settings['replica.fetch.response.max.bytes'] === undefined;
}

function delayLink({ linkDelays }: SimWorld, [a, b]: readonly string[], delayMs: number): void {
  linkDelays.set(`${a}>${b}`, delayMs);
  linkDelays.set(`${b}>${a}`, delayMs);
}

/** True when a replica is not in sync. */
function hasLost(world: SimWorld): boolean {
  return partitionsOf(world).some(({ topic, partition }) => {
    const state = world.findLeading(topic, partition)?.state;
    return state !== undefined && state.isr.isr.length < state.replicas.length;
  });
}
