/**
 * A broker of a healthy cluster hears of the controllers and of no other broker while large batches are written; all others start anew,
 * and small ones are written. When the links are there again it lists all of its partitions at once: the small batches are in the
 * memory of their leader, the large ones have to be read from its disk, and what the former leave of a reply may have no room for the
 * latter.
 */
import type { Expect } from './expect.ts';
import { isInSync } from './faults/index.ts';
import { findDispensable, partitionsOf } from './followings.ts';
import { cutBothWays } from './links.ts';
import { patienceMs } from './patience.ts';
import { isWhole } from './recovery.ts';
import { Sending } from './sending.ts';
import type { SimWorld } from './world.ts';

const ACKNOWLEDGED_MS = 10_000;
/** A broker that died is fenced by then. */
const FENCED_MS = 30_000;
/** A client connects anew, asks who leads, and sends. */
const GOES_ON_MS = 5_000;
const IN_SYNC_MS = 30_000;
const BATCH = ['first', 'second', 'third'];
/** In the smallest segment there is room for a batch of them. */
const LARGE_RECORD_BYTES = 500;
const SMALL_RECORD_BYTES = 10;

/** Nothing when no broker could be missed, or the options do not say so. */
export async function expectAbsence(world: SimWorld, expect: Expect, areEqual: () => boolean): Promise<void> {
  const machine = world.options.absence === true ? findDispensable(world) : undefined;
  if (machine === undefined) return;
  const limitMs = IN_SYNC_MS + patienceMs(world);
  const timeoutMs = 2 * GOES_ON_MS + ACKNOWLEDGED_MS + 2 * limitMs;
  const client = world.client('absence');
  const partitions = partitionsOf(world).map((place, index) => ({ place, isLarge: index % 2 === 1 }));
  const sendings: Sending[] = [];
  const send = async (large: boolean): Promise<void> => {
    const recordBytes = large ? LARGE_RECORD_BYTES : SMALL_RECORD_BYTES;
    const places = partitions.filter(({ isLarge }) => isLarge === large).map(({ place }) => place);
    const sending = new Sending(world, client, places, { ids: BATCH, timeoutMs, recordBytes });
    sendings.push(sending);
    await expect('nobody waits for a broker that is cut off', GOES_ON_MS, () => sending.isWherePossible);
  };
  const others = world.brokers.filter((one) => one !== machine);
  machine.kill(false);
  await expect('a broker that died counts no more', FENCED_MS, () => !isInSync(world, machine));
  for (const other of others) cutBothWays(world, machine, other);
  machine.start();
  await expect('a broker serves that hears of no other', limitMs, () => machine.isServing);
  await send(true);
  for (const other of others) {
    other.kill(false);
    other.start();
  }
  await expect('who starts anew is in sync', limitMs, () => isWhole(world, machine));
  await send(false);
  world.trace.count('brokers cut off in the end');
  world.network.heal();
  await expect('a broker that was cut off has everything', limitMs, () => isWhole(world) && areEqual());
  await expect('what too few had is acknowledged', ACKNOWLEDGED_MS, () =>
    sendings.every(({ isAcknowledged }) => isAcknowledged),
  );
  await client.close({ timeoutMs: 0 });
}
