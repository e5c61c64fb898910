/**
 * A broker of a healthy cluster dies, and gets an empty disk. Until it is back nobody waits for it: neither records nor deletions. What
 * is deleted ends within a batch, which is kept and sent whole: the empty logs begin before the first record that anybody may read,
 * and are in sync soon.
 */
import type { TopicPartition } from '../../../base/index.ts';
import type { Client } from '../../../client/index.ts';
import { deleteBefore, endOf } from './deletion.ts';
import type { Expect } from './expect.ts';
import { isInSync, replaceDisk } from './faults/index.ts';
import { findDispensable, partitionsOf } from './followings.ts';
import { LawBroken } from './law-broken.ts';
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

/** Nothing when no disk could be replaced without a loss, or the options do not say so. */
export async function expectReplacement(
  world: SimWorld,
  expect: Expect,
  areEqual: () => boolean,
): Promise<void> {
  const machine = world.options.replacement === true ? findDispensable(world) : undefined;
  if (machine === undefined) return;
  const client = world.client('replacer');
  const partitions = partitionsOf(world);
  const batches = new Sending(world, client, partitions, { ids: BATCH, timeoutMs: ACKNOWLEDGED_MS });
  await expect('every partition acknowledges a batch', ACKNOWLEDGED_MS, () => batches.isAcknowledged);
  machine.kill(false);
  await expect('a broker that died counts no more', FENCED_MS, () => !isInSync(world, machine));
  const limitMs = IN_SYNC_MS + patienceMs(world);
  const timeoutMs = GOES_ON_MS + ACKNOWLEDGED_MS + 2 * limitMs;
  const sending = new Sending(world, client, partitions, { ids: BATCH, timeoutMs });
  await expect('nobody waits for a broker that died', GOES_ON_MS, () => sending.isWherePossible);
  await deleteWithinBatches(world, client, expect);
  replaceDisk(world, machine);
  world.trace.count('disks replaced in the end');
  machine.start();
  await expect('an empty replica begins within a batch', limitMs, () => isWhole(world) && areEqual());
  await expect('what too few had is acknowledged', limitMs, () => sending.isAcknowledged);
  await client.close({ timeoutMs: 0 });
}

async function deleteWithinBatches(world: SimWorld, client: Client, expect: Expect): Promise<void> {
  const before = ({ topic, partition }: TopicPartition) => endOf(world, topic, partition) - 1;
  const records = partitionsOf(world).map((one) => ({ ...one, before: before(one) }));
  const outcomes = await deleteBefore(world, client, expect, records);
  for (const [index, { topic, partition, before: offset }] of records.entries()) {
    const { error } = outcomes[index] ?? { error: 'none' };
    if (error !== 'NONE') throw new LawBroken('a batch can be deleted in part', { topic, partition, error });
    world.noteDeleted(topic, partition, offset);
  }
}
