/**
 * Damage at any moment of the mending: to the log that is being fetched anew, to its leader, while brokers die and topics come
 * and go. One broker stays sound for a while, then another: what is acknowledged is always somewhere.
 */
import { describe, expect, it } from 'vitest';
import type { NodeId } from '../../../src/base/index.ts';
import { KINDS } from './flips.ts';
import { type Lane, laneOf } from './lane.ts';
import { BROKERS, RotWorld } from './rot-world.ts';

const SEEDS = (process.env.SEEDS ?? '1').split(',').map(Number);
/** Virtual time in which one broker is spared. */
const SPAN_MS = 8_000;

class Storm {
  readonly world: RotWorld;
  #over = false;
  readonly #starting = new Set<NodeId>();
  readonly story: string[] = [];
  flips = 0;

  constructor(world: RotWorld) {
    this.world = world;
  }

  async run(): Promise<void> {
    for (const spared of BROKERS) {
      this.#over = false;
      const others = BROKERS.filter((id) => id !== spared);
      await this.world.run(
        Promise.all([
          this.#rot(others),
          this.#kill(others),
          this.#read(),
          this.#passing(spared),
          this.#end(),
        ]),
      );
      for (const id of others) await this.world.run(this.#start(id));
      await this.#clean();
    }
  }

  /** Whatever turned is found, and mended. */
  async #clean(): Promise<void> {
    await this.world.whole();
    await this.world.roll();
    await this.world.scrubbed();
    for (const id of BROKERS) {
      await this.world.whole();
      this.world.kill(id);
      await this.world.startBroker(id);
    }
    await this.world.whole();
    this.story.length = 0;
  }

  async #end(): Promise<void> {
    await this.world.pause(SPAN_MS);
    this.#over = true;
  }

  async #rot(ids: readonly NodeId[]): Promise<void> {
    const { world } = this;
    while (!this.#over) {
      await world.pause(world.random.integer(5, 400));
      this.#flip(world.pick(ids), world.pick(world.lanes));
    }
  }

  #flip(id: NodeId, { name }: Lane): void {
    const { world } = this;
    const kind = world.pick([...KINDS, '.log', '.log', '.log', '.log']);
    const paths = world
      .paths(id, name)
      .filter((path) => path.endsWith(kind) && world.bytes(id, path).length > 0);
    if (paths.length === 0) return;
    const path = world.pick(paths);
    const bit = world.random.integer(0, world.bytes(id, path).length * 8);
    world.files(id).flipBit(path, bit);
    this.flips++;
    this.#tell(`bit ${bit} of ${path} on ${id}`);
  }

  async #read(): Promise<void> {
    const { world } = this;
    while (!this.#over) {
      await world.pause(world.random.integer(1, 300));
      await world.clients.readAll(world.pick(world.lanes));
    }
  }

  async #kill(ids: readonly NodeId[]): Promise<void> {
    const { world } = this;
    while (!this.#over) {
      await world.pause(world.random.integer(100, 3_000));
      const id = world.pick(ids);
      if (!world.cluster.isUp(id)) continue;
      const power = world.random.float() < 0.5;
      this.#tell(`${power ? 'power failure' : 'kill'} of ${id}`);
      world.kill(id, power);
      await world.pause(world.random.integer(0, 2_000));
      await this.#start(id);
    }
  }

  async #start(id: NodeId): Promise<void> {
    if (this.world.cluster.isUp(id) || this.#starting.has(id)) return;
    this.#starting.add(id);
    this.#tell(`start of ${id}`);
    await this.world.cluster.startBroker(id);
    this.#starting.delete(id);
  }

  /** A topic that is made, damaged, and deleted while it is mended; the next one has its name. */
  async #passing(spared: NodeId): Promise<void> {
    const { world } = this;
    const others = BROKERS.filter((id) => id !== spared);
    const lane = laneOf('passing', 0, 'none');
    const { admin, broker } = world.cluster.client(spared);
    while (!this.#over) {
      const topic = { name: lane.topic, partitions: 1, replicationFactor: 3, assignments: [], configs: {} };
      const made = await admin
        .createTopics({ topics: [topic], validateOnly: false, timeoutMs: 5_000 }, { timeoutMs: 6_000 })
        .catch(() => undefined);
      const topicId = made?.topics[0]?.error === 'NONE' ? made.topics[0].topicId : undefined;
      if (topicId !== undefined) {
        const fresh = laneOf('passing', 0, 'none');
        fresh.producerId = (await broker.initProducerId({ clientId: 'passing' }, {})).producerId;
        await world.clients.send(fresh, 3_000);
        for (const id of others) this.#flip(id, fresh);
        if (world.random.float() < 0.7) await world.clients.readAll(fresh);
        await world.pause(world.random.integer(0, 100));
        this.#tell('deleting the passing topic');
        await admin
          .deleteTopics({ topics: [{ topicId }], timeoutMs: 5_000 }, { timeoutMs: 6_000 })
          .catch(() => undefined);
      }
      await world.pause(world.random.integer(1, 200));
    }
  }

  #tell(what: string): void {
    this.story.push(`${Math.round(this.world.cluster.scheduler.nowMs)} ${what}`);
  }
}

describe('damage upon damage, while brokers die and topics come and go', () => {
  it.each(SEEDS)(
    'is mended from whoever is sound: seed %i',
    async (seed) => {
      const world = await new RotWorld(seed, { partitionsOfTopic: 2 }).start();
      const storm = new Storm(world);
      try {
        await storm.run();
        await world.stop();
        await world.settled(() => world.checkStored());
        expect(world.clients.wrong).toEqual([]);
        expect(world.cluster.fatals()).toEqual([]);
      } catch (error) {
        console.log(storm.story.join('\n'), world.clients.wrong);
        throw error;
      }
      console.log(`${storm.flips} bits turned`);
    },
    60_000,
  );
});
