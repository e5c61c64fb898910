/**
 * A topic of a healthy cluster is deleted and made again under its name at once, while a broker that has a replica of it may be away.
 * The new one has nothing of the old one, on no broker; and when it is deleted too no log bears its name any more.
 */
import { SeededRandom, type TopicPartition } from '../../../base/index.ts';
import { type Expect, expectDone } from './expect.ts';
import { oneOf } from './faults/index.ts';
import { replicasOn } from './followings.ts';
import { LawBroken } from './law-broken.ts';
import type { Machine } from './machine.ts';
import { patienceMs } from './patience.ts';
import { isWhole } from './recovery.ts';
import { Sending } from './sending.ts';
import type { SimWorld } from './world.ts';

const TOPIC = 'remade';
const PARTITIONS: readonly TopicPartition[] = [0, 1].map((partition) => ({ topic: TOPIC, partition }));
const STEP_MS = 30_000;
/** Share of the runs in which a broker is away. */
const AWAY = 2 / 3;
const OLD = ['old', 'older', 'oldest'];
const NEW = ['new'];

/** Nothing when the options do not say so. */
export async function expectRemaking(
  world: SimWorld,
  expect: Expect,
  areEqual: () => boolean,
): Promise<void> {
  const { brokers, options } = world;
  if (options.remaking !== true) return;
  const random = new SeededRandom(options.seed, 'remaking');
  const stepMs = STEP_MS + patienceMs(world);
  const client = world.client('remaker');
  const topic = {
    name: TOPIC,
    partitions: PARTITIONS.length,
    replicationFactor: Math.min(3, brokers.length),
  };
  const send = async (ids: readonly string[]): Promise<void> => {
    const sending = new Sending(world, client, PARTITIONS, { ids, timeoutMs: stepMs });
    await expect('what is sent to a new topic is acknowledged', stepMs, () => sending.isAcknowledged);
  };
  await expectDone(world, 'a topic is made', stepMs, client.admin.createTopics([topic]));
  await send(OLD);
  await expect('every replica has it', stepMs, () => haveAll(world, topic.replicationFactor, OLD.length));
  const away = brokers.length > 1 && random.float() < AWAY ? oneOf(brokers, random) : undefined;
  const hearsOfNeither = random.float() < 0.5;
  if (hearsOfNeither) away?.kill(false);
  await expectDone(world, 'a topic is deleted', stepMs, client.admin.deleteTopic(TOPIC));
  // Nobody knows yet that it is away: the new topic counts on it.
  if (!hearsOfNeither) away?.kill(false);
  const replicationFactor = Math.min(topic.replicationFactor, Math.max(1, brokers.length - 1));
  const again = { ...topic, replicationFactor };
  await expectDone(world, 'it is made again', stepMs, client.admin.createTopics([again]));
  away?.start();
  world.trace.count('topics made again in the end');
  await send(NEW);
  await expect('every replica of the new topic has it', stepMs, () =>
    haveAll(world, replicationFactor, NEW.length),
  );
  await expect('every replica is in sync', stepMs, () => isWhole(world) && areEqual());
  await expectDone(world, 'it is deleted again', stepMs, client.admin.deleteTopic(TOPIC));
  await expect('a topic that is deleted has no logs', stepMs, () => !world.brokers.some(hasLogs));
  await client.close({ timeoutMs: 0 });
}

/** True when each partition has so many replicas, and each of them so many records. One that has more has those of another topic. */
function haveAll(world: SimWorld, replicationFactor: number, records: number): boolean {
  const id = world.activeController()?.node?.controller?.image().topics.find(TOPIC)?.id;
  return PARTITIONS.every((place) => {
    const replicas = replicasOn(world.brokers, place).filter(({ log }) => log.topicId === id);
    const more = replicas.find(({ log }) => log.logEndOffset > records);
    if (more !== undefined)
      world.fail(
        new LawBroken('a topic made again is empty', { ...place, end: more.log.logEndOffset, records }),
      );
    return replicas.length === replicationFactor && replicas.every(({ log }) => log.logEndOffset === records);
  });
}

/** True when the disk has files of a log of that name; files set aside, or about to be removed, bear longer ones. */
function hasLogs({ files }: Machine): boolean {
  return files
    .paths()
    .some((path) => PARTITIONS.some(({ partition }) => path.includes(`/${TOPIC}-${partition}/`)));
}
