/** Bits that turn on the disk of a broker, while it runs or is down. */
import { type SeededRandom, topicPartitionKey } from '../../../../base/index.ts';
import type { Machine } from '../machine.ts';
import type { TurnedBit } from '../rot.ts';
import type { SimWorld } from '../world.ts';
import type { Fault } from './fault.ts';
import { oneOf } from './targets.ts';

/** Most of what is on a disk is records. */
const NAMES = [
  '.log',
  '.log',
  '.log',
  '.log',
  '.index',
  '.timeindex',
  '.snapshot',
  'leader-epoch-checkpoint',
  'partition.metadata',
] as const;
const CHECKPOINT = '-checkpoint';
/** What it says is nowhere else: without it records that were deleted within a segment are there again. */
const LOG_STARTS = '/log-start-offset-checkpoint';
const CHECKPOINT_SHARE = 0.1;
/** Between two looks whether a person has to help. */
const LOOK_MS = 1_000;

export const turnedBit: Fault = {
  kind: 'turned bit',
  begin(world, random) {
    const machine = oneOf(world.brokers, random);
    const bit = machine === undefined ? undefined : drawBit(world, machine, random);
    if (bit === undefined) return undefined;
    world.rot.turn(bit);
    return {
      text: `${bit.machine.name}: byte ${bit.index} of ${bit.path}, ${bit.sound} is ${bit.turned}`,
      // As long as nobody finds it.
      lastsMs: world.options.faultsMs,
      end: () => help(world, bit),
    };
  },
};

function drawBit(world: SimWorld, machine: Machine, random: SeededRandom): TurnedBit | undefined {
  const topic = oneOf(world.options.topics, random);
  if (topic === undefined) return undefined;
  const ofPartition = { topic: topic.name, partition: random.integer(0, topic.partitions) };
  const isOfAll = random.float() < CHECKPOINT_SHARE;
  const partition = isOfAll ? undefined : ofPartition;
  if (partition !== undefined && !world.rot.isSafe(machine, partition.topic, partition.partition))
    return undefined;
  const path = oneOf(pathsOf(machine, partition, oneOf(NAMES, random) ?? '.log'), random);
  const file = path === undefined ? undefined : machine.files.findDurable(path);
  if (path === undefined || file === undefined || file.durableBytes.byteLength === 0) return undefined;
  const index = random.integer(0, file.durableBytes.byteLength);
  const sound = file.durableBytes[index] ?? 0;
  return { machine, partition, path, file, index, sound, turned: sound ^ (1 << random.integer(0, 8)) };
}

function pathsOf(
  { files, directories, places }: Machine,
  partition: TurnedBit['partition'],
  name: string,
): string[] {
  if (partition === undefined)
    return directories.flatMap((directory) =>
      files
        .durablePaths(directory)
        .filter((path) => path.endsWith(CHECKPOINT) && !path.slice(directory.length + 1).includes('/'))
        .filter((path) => !path.endsWith(LOG_STARTS)),
    );
  const key = topicPartitionKey(partition.topic, partition.partition);
  return files
    .durablePaths(`${places.get(key) ?? directories[0]}/${key}`)
    .filter((path) => path.endsWith(name));
}

/** When all is healed: what nobody will meet is turned back, and what nobody else can mend. The rest is to be found. */
function help(world: SimWorld, bit: TurnedBit): void {
  if (!isScrubbed(bit)) turnBack(world, bit);
  const look = (): void => {
    if (world.rot.isForPerson(bit)) turnBack(world, bit);
    if (world.rot.open.includes(bit)) world.scheduler.after(LOOK_MS, look);
  };
  look();
}

/** A log that is offline for it is opened anew. */
function turnBack(world: SimWorld, bit: TurnedBit): void {
  world.rot.turnBack(bit);
  const { machine } = bit;
  if (![...(machine.node?.broker?.replicas() ?? [])].some(({ log }) => log.failure !== undefined)) return;
  machine.kill(false);
  machine.start();
}

/** In a segment that is closed. */
function isScrubbed({ machine, path }: TurnedBit): boolean {
  if (!path.endsWith('.log')) return false;
  const directory = path.slice(0, path.lastIndexOf('/'));
  return machine.files.durablePaths(directory).some((other) => other.endsWith('.log') && other > path);
}
