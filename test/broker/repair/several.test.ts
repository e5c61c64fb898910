/** More than one replica of a partition is damaged, or the only one that counts. */
import { describe, expect, it } from 'vitest';
import type { NodeId } from '../../../src/base/index.ts';
import type { Lane } from './lane.ts';
import { BROKERS, RotWorld } from './rot-world.ts';

/** A bit in the records of a replica. */
function turnBit(world: RotWorld, id: NodeId, lane: Lane, closedOnly = true): { path: string; bit: number } {
  const logs = world.paths(id, lane.name).filter((one) => one.endsWith('.log'));
  const path = world.pick(
    (closedOnly ? logs.slice(0, -1) : logs).filter((one) => world.bytes(id, one).length > 0),
  );
  const bit = world.random.integer(0, world.bytes(id, path).length * 8);
  world.files(id).flipBit(path, bit);
  return { path, bit };
}

async function readAll(world: RotWorld): Promise<void> {
  await world.run(Promise.all(world.lanes.map((lane) => world.clients.readAll(lane))));
}

async function end(world: RotWorld): Promise<void> {
  await world.stop();
  await world.settled(() => world.checkStored());
  expect(world.clients.wrong).toEqual([]);
  expect(world.cluster.fatals()).toEqual([]);
}

describe('bits that turn in two of three replicas at once', () => {
  it.each(['read', 'scrub', 'restart'] as const)(
    'are mended from the third one, when found by a %s',
    async (how) => {
      const world = await new RotWorld(1, { partitionsOfTopic: 3 }).start();
      for (let round = 0; round < 3; round++) {
        const damaged = await world.settled(() => {
          const sound = world.pick(BROKERS);
          if (how === 'restart') for (const id of BROKERS) if (id !== sound) world.kill(id);
          return world.lanes.map((lane) => {
            // Who restarts holds nothing that counts before it has caught up: one broker stays sound for all.
            const spared = how === 'restart' ? sound : world.pick(BROKERS);
            const others = BROKERS.filter((id) => id !== spared);
            for (const id of others) turnBit(world, id, lane);
            return { lane, others };
          });
        });
        for (const id of BROKERS) if (!world.cluster.isUp(id)) await world.startBroker(id);
        if (how === 'read') await readAll(world);
        await world.scrubbed();
        await world.whole();
        for (const { lane, others } of damaged)
          for (const id of others)
            expect(world.wasSetAside(id, lane.name), `${lane.name} on ${id}`).toBe(true);
        world.forgetLines();
      }
      await end(world);
    },
  );
});

describe('a bit that turns in the last replica in sync', () => {
  /** Broker 1 alone is in sync everywhere, has what nobody else has, and then a bit in each log. */
  async function alone() {
    const world = await new RotWorld(2, { partitionsOfTopic: 1, minIsr: 1 }).start();
    await world.settled(() => {
      for (const id of [2, 3]) world.kill(id);
    });
    await world.cluster.scheduler.run(2_000);
    await world.roll();
    const turned = await world.still(() => world.lanes.map((lane) => turnBit(world, 1, lane)));
    const stored = new Map(
      world
        .allPaths(1)
        .filter(isLog)
        .map((path) => [path, world.bytes(1, path)]),
    );
    return { world, turned, stored };
  }

  const isLog = (path: string): boolean => path.endsWith('.log');

  it.each(['read', 'scrub', 'restart'] as const)(
    'found by a %s waits for a person, who loses nothing',
    async (how) => {
      const { world, turned, stored } = await alone();
      if (how === 'restart') {
        world.kill(1);
        await world.startBroker(1);
      }
      if (how === 'read') for (const lane of world.lanes) await world.clients.readSome(lane);
      await world.scrubbed();
      for (const id of [2, 3]) await world.startBroker(id);
      await world.cluster.scheduler.run(20_000);
      const known = await world.partitions();
      for (const { name } of world.lanes) expect(known.get(name)).toMatchObject({ leaderId: -1, isr: [1] });
      // Nothing is served, nothing thrown away, here or there, and a person has been told.
      for (const [path, bytes] of stored) {
        // Until it was found, more was appended.
        const now = world.bytes(1, path).subarray(0, bytes.length);
        expect(now.equals(bytes), path).toBe(true);
      }
      for (const lane of world.lanes)
        for (const said of await world.run(world.clients.refusals(lane)))
          expect(said).toBe(
            `LEADER_NOT_AVAILABLE: ${lane.name} has no leader: of its replicas ${known.get(lane.name)?.replicas.join(', ')} ` +
              'only 1 had all records, and its log on broker 1 is offline; see the log of that broker for the way out',
          );
      for (const id of BROKERS) expect(world.kept(id)).toEqual([]);
      const { lines } = world.cluster.environmentOf(1).logger;
      const told = lines.filter(({ level, message }) => level === 'error' && message === 'log is offline');
      expect(told.map(({ fields }) => `${fields.topic}-${fields.partition}`).toSorted()).toEqual(
        world.lanes.map(({ name }) => name).toSorted(),
      );
      for (const { fields } of told) expect(fields.wayOut).toMatch(/restore|replica/);
      // The person has a copy of the files.
      world.kill(1);
      for (const { path, bit } of turned) world.files(1).flipBit(path, bit);
      await world.startBroker(1);
      await world.whole();
      await end(world);
    },
  );
});
