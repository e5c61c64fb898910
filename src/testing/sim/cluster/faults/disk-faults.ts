/** Disks that are slow, full, or refuse; and one that is replaced by an empty one. */
import type { SeededRandom } from '../../../../base/index.ts';
import type { Machine } from '../machine.ts';
import type { SimWorld } from '../world.ts';
import type { Fault } from './fault.ts';
import { oneOf, someMachine } from './targets.ts';

const LASTS_MEAN_MS = 5_000;

const lasting = (random: SeededRandom): number => -Math.log(1 - random.float()) * LASTS_MEAN_MS;

export const slowDisk: Fault = {
  kind: 'slow disk',
  begin(world, random) {
    const machine = someMachine(world, random);
    const factor = 10 ** (1 + 2 * random.float());
    world.diskSpeeds.set(machine.name, factor);
    return {
      text: `${machine.name}, ${factor.toFixed(0)} times`,
      lastsMs: lasting(random),
      end: () => world.diskSpeeds.delete(machine.name),
    };
  },
};

/** What is written beyond what is there now fails. */
export const fullDisk: Fault = {
  kind: 'full disk',
  begin(world, random) {
    const machine = someMachine(world, random);
    const { files } = machine.environment;
    files.capacityBytes = files.usedBytes + random.integer(0, 4096);
    return {
      text: `${machine.name}, ${files.capacityBytes} bytes`,
      lastsMs: lasting(random),
      end() {
        machine.environment.files.capacityBytes = Number.POSITIVE_INFINITY;
      },
    };
  },
};

/** An error waits for its operation: other faults of that time meet it. */
const ERROR_MS = 1_000;

/** The next operation of a kind fails, somewhere under the data directory. */
export const diskError: Fault = {
  kind: 'disk error',
  begin(world, random) {
    const machine = someMachine(world, random);
    const operation =
      oneOf(['sync', 'write', 'read', 'sync-directory', 'rename', 'open'] as const, random) ?? 'sync';
    const path = oneOf(['/data', '.log', '.index', 'checkpoint', '__cluster_metadata'], random) ?? '/data';
    const after = random.integer(0, 20);
    machine.environment.files.failNext({ operation, path, reason: 'io-error', after });
    if (random.float() < 0.2) machine.environment.stores.failNext({ operation: 'batch', reason: 'io-error' });
    return { text: `${machine.name}: ${operation} of ${path} after ${after}`, lastsMs: ERROR_MS, end() {} };
  },
};

/** A broker that is down gets an empty disk, as a careful person would give it one: when nothing waits for the old one. */
export const newDisk: Fault = {
  kind: 'new disk',
  begin(world, random) {
    const machine = oneOf(world.brokers, random);
    if (machine === undefined || !machine.isUp) return undefined;
    machine.kill(true);
    return {
      text: machine.name,
      record: { nodes: [machine.plan.id], lossy: false },
      lastsMs: lasting(random),
      end() {
        if (!machine.isUp && !isInSync(world, machine) && world.rot.open.length === 0) {
          replaceDisk(world, machine);
          world.trace.count('disks replaced');
        }
        machine.start();
      },
    };
  },
};

/** Of a machine that is down. */
export function replaceDisk(world: SimWorld, machine: Machine): void {
  machine.environment.files.wipe();
  machine.newDiskMs = world.scheduler.nowMs;
}

/** True also when nobody can tell, or a leader that has old news still counts on it. */
export function isInSync(world: SimWorld, machine: Machine): boolean {
  const { id } = machine.plan;
  const image = world.activeController()?.node?.controller?.image();
  if (image === undefined) return true;
  for (const { node } of world.brokers)
    for (const { state } of node?.broker?.replicas() ?? [])
      if (state.isLeader && state.isr.maximal.includes(id)) return true;
  return [...image.topics.byName.values()].some(({ partitions }) =>
    partitions.some(({ isr }) => isr.includes(id)),
  );
}

/** All of these. */
const OPERATIONS = [
  ...['open', 'list', 'stat', 'make-directory', 'rename', 'remove', 'sync-directory'],
  ...['lock', 'write', 'read', 'truncate', 'sync', 'size'],
] as const;

/**
 * Of a broker with several directories one refuses everything, not its home. It comes back with a start of the broker. When the
 * broker has noticed, a start in vain may come first: its replicas stay without logs.
 */
export const directoryFails: Fault = {
  kind: 'directory fails',
  begin(world, random) {
    const machine = oneOf(
      world.brokers.filter(({ directories }) => directories.length > 1),
      random,
    );
    const path = machine === undefined ? undefined : oneOf(machine.directories.slice(1), random);
    if (machine === undefined || path === undefined) return undefined;
    for (const operation of OPERATIONS)
      machine.files.failNext({ operation, path, reason: 'io-error', times: Number.POSITIVE_INFINITY });
    const restart = (): void => {
      if (machine.isUp) machine.kill(false);
      machine.start();
    };
    const noticedMs = lasting(random);
    let isOver = false;
    world.scheduler.after(noticedMs, () => {
      if (!isOver && machine.hasFailedDirectory) restart();
    });
    return {
      text: `${machine.name}: ${path}`,
      lastsMs: noticedMs + lasting(random),
      end() {
        isOver = true;
        machine.files.failNoMore(path);
        restart();
      },
    };
  },
};
