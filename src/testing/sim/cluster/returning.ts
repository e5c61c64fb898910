/**
 * All that is committed of a partition is on one broker of a healthy cluster, and the data directory that has it is missing when the
 * broker starts: an empty one is in its place. Nobody counts the empty one for it: the log is not made anew, and nobody leads,
 * until somebody brings the directory back. Then everything is there. Source: KIP-858.
 */
import { SeededRandom, type TopicPartition } from '../../../base/index.ts';
import type { Files } from '../../../env/index.ts';
import { type Expect, expectDone } from './expect.ts';
import { oneOf } from './faults/index.ts';
import { partitionsOf, replicasOn } from './followings.ts';
import { LawBroken } from './law-broken.ts';
import type { Machine } from './machine.ts';
import { patienceMs } from './patience.ts';
import { isWhole } from './recovery.ts';
import type { SimWorld } from './world.ts';

/** Brokers that died are fenced by then, and who is left leads. */
const ALONE_MS = 60_000;
const STARTED_MS = 30_000;
const MOVED_MS = 10_000;
/** Who would lead with an empty log does by then. */
const LED_MS = 10_000;
const IN_SYNC_MS = 30_000;
const SHELF = '/shelf';
const MISTAKEN = '/mistaken';

interface Keeping {
  readonly place: TopicPartition;
  readonly machine: Machine;
  /** Not the home of the broker. */
  readonly directory: string;
}

/** Nothing when no replica is outside of the home of its broker, or the options do not say so. */
export async function expectReturn(world: SimWorld, expect: Expect, areEqual: () => boolean): Promise<void> {
  const { brokers, options } = world;
  if (options.returning !== true) return;
  const keeping = oneOf(keepingsOf(world), new SeededRandom(options.seed, 'returning'));
  if (keeping === undefined) return;
  const { place, machine, directory } = keeping;
  const slowMs = patienceMs(world);
  for (const other of brokers) if (other !== machine) other.kill(false);
  await expect('who is left leads', ALONE_MS + slowMs, () => isAlone(world, keeping));
  machine.kill(false);
  await expectDone(world, 'a directory is taken away', MOVED_MS + slowMs, move(machine, directory, SHELF));
  world.trace.count('directories missing in the end');
  machine.start();
  await expect('a broker serves without a directory', STARTED_MS + slowMs, () => machine.isServing);
  await world.run(() => false, LED_MS);
  const made = replicasOn([machine], place).find(({ log }) => log.failure === undefined);
  if (made !== undefined)
    throw new LawBroken('what is counted on is not made anew', { ...place, directory: made.log.directory });
  machine.kill(false);
  await expectDone(world, 'it is brought back', MOVED_MS + slowMs, bringBack(machine, directory));
  for (const one of brokers) one.start();
  const backMs = STARTED_MS + IN_SYNC_MS + slowMs;
  await expect('a directory that is back has everything', backMs, () => isWhole(world) && areEqual());
}

function keepingsOf(world: SimWorld): Keeping[] {
  return partitionsOf(world).flatMap((place) =>
    world.brokers.flatMap((machine) =>
      replicasOn([machine], place)
        .map(({ log }) => log.directory.slice(0, log.directory.lastIndexOf('/')))
        .filter((directory) => directory !== machine.directories[0])
        .map((directory) => ({ place, machine, directory })),
    ),
  );
}

/** True when its broker leads, and nobody else is in sync. */
function isAlone(world: SimWorld, { place, machine }: Keeping): boolean {
  const leading = world.findLeading(place.topic, place.partition);
  const { nodeId, isr } = leading?.state ?? {};
  return nodeId === machine.plan.id && isr?.kind === 'committed' && isr.isr.length === 1;
}

async function bringBack(machine: Machine, directory: string): Promise<void> {
  await move(machine, directory, MISTAKEN);
  await move(machine, SHELF, directory);
}

/** On a machine that is down. */
async function move({ files }: { readonly files: Files }, from: string, to: string): Promise<void> {
  await files.rename(from, to);
  await files.syncDirectory('/');
}
