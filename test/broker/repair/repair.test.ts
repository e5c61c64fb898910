/**
 * One bit after another turns on the disks of three brokers, in every kind of file, in leaders and followers, and is found by
 * whoever reads it. In the end every replica holds, byte for byte, what was acknowledged; in between nobody was served
 * anything else, and every partition came back with all its replicas in sync. `SEEDS=1,2,3` runs these.
 */
import { afterAll, describe, expect, it } from 'vitest';
import type { NodeId } from '../../../src/base/index.ts';
import { verifyLog } from '../../../src/client/admin/verify-log.ts';
import type { LogDigestRequest } from '../../../src/rpc/api/index.ts';
import { type Flip, flip, type How, judge, KINDS, type Kind, tableOf } from './flips.ts';
import type { Lane } from './lane.ts';
import { BROKERS, RotWorld } from './rot-world.ts';

const SEEDS = (process.env.SEEDS ?? '1,2,3').split(',').map(Number);
const ROUNDS: readonly How[] = ['read', 'scrub', 'restart', 'compare', 'leader'];
/** Of these a replica may have turned bits that nobody has met, and never will. */
const NEVER_READ: readonly Kind[] = ['.snapshot'];
/** Most of what is on a disk is records. */
const DRAWN: readonly Kind[] = [...KINDS, '.log', '.log', '.log'];
const all: Flip[] = [];

afterAll(() => console.log(`${all.length} bits turned\n${tableOf(all)}`));

class Rounds {
  readonly world: RotWorld;
  readonly flips: Flip[] = [];

  constructor(world: RotWorld) {
    this.world = world;
  }

  async run(how: How): Promise<void> {
    const { world } = this;
    await this[how]();
    await world.whole();
    judge(world, this.flips, how);
    // What was in a segment that grew is found when it is closed.
    await world.roll();
    await world.scrubbed();
    await world.whole();
    judge(world, this.flips, how === 'restart' ? how : 'scrub');
    world.forgetLines();
  }

  /** Everybody starts again: what is read at a start only is found now. */
  async end(): Promise<void> {
    const { world } = this;
    for (const id of BROKERS) {
      await world.settled(() => world.kill(id));
      await world.startBroker(id);
      await world.whole();
    }
    judge(world, this.flips, 'restart');
  }

  async read(): Promise<void> {
    await this.world.settled(async () => {
      const known = await this.world.partitions();
      this.#flipEach('read', (lane) => known.get(lane.name)?.leaderId);
    });
    await this.#readAll();
  }

  async scrub(): Promise<void> {
    await this.world.settled(() => this.#flipEach('scrub', () => this.world.pick(BROKERS)));
    await this.world.scrubbed();
  }

  async compare(): Promise<void> {
    const { world } = this;
    await world.settled(() => this.#flipEach('compare', () => world.pick(BROKERS)));
    const ask = (request: LogDigestRequest) =>
      world.cluster.client(1).admin.logDigest(request, { timeoutMs: 5_000 });
    const compared = world.lanes.map(({ topic, partition }) =>
      verifyLog({ topic, partition, replicas: BROKERS }, { ask }),
    );
    await world.run(Promise.all(compared));
  }

  async restart(): Promise<void> {
    const { world } = this;
    const id = world.pick(BROKERS);
    await world.settled(() => {
      world.kill(id, world.random.float() < 0.5);
      this.#flipEach('restart', () => id);
      this.#flip('restart', id, undefined, 'offset-checkpoint');
    });
    await world.cluster.scheduler.run(world.random.integer(0, 3_000));
    await world.startBroker(id);
  }

  async leader(): Promise<void> {
    const { world } = this;
    const gone = world.pick(BROKERS);
    await world.settled(async () => {
      const known = await world.partitions();
      // The one that leads next.
      this.#flipEach('leader', (lane) => {
        const { leaderId = -1, replicas = [] } = known.get(lane.name) ?? {};
        return leaderId === gone ? replicas.find((id) => id !== gone) : undefined;
      });
    });
    world.kill(gone);
    await this.#readAll();
    await world.startBroker(gone);
  }

  async #readAll(): Promise<void> {
    await this.world.run(Promise.all(this.world.lanes.map((lane) => this.world.clients.readAll(lane))));
  }

  #flipEach(how: How, where: (lane: Lane) => NodeId | undefined): void {
    for (const lane of this.world.lanes) {
      const id = where(lane);
      if (id !== undefined) this.#flip(how, id, lane, this.world.pick(DRAWN));
    }
  }

  #flip(how: How, id: NodeId, lane: Lane | undefined, kind: Kind): void {
    const place = lane === undefined ? { id, kind, how } : { id, lane, kind, how };
    // The scrub looks at closed segments only.
    const turned = flip(this.world, this.flips, place, how === 'scrub' && kind === '.log');
    if (turned !== undefined) this.flips.push(turned);
  }
}

describe('bits that turn on the disks of three brokers', () => {
  it.each(SEEDS)(
    'are noticed, never served, and mended: seed %i',
    async (seed) => {
      const world = await new RotWorld(seed).start();
      const rounds = new Rounds(world);
      try {
        for (const how of ROUNDS) await rounds.run(how);
        await rounds.end();
        await world.stop();
        await world.settled(() => world.checkStored());
      } finally {
        all.push(...rounds.flips);
      }
      expect(world.clients.wrong).toEqual([]);
      expect(world.cluster.fatals()).toEqual([]);
      const open = rounds.flips.filter(
        ({ outcome, kind }) => outcome === undefined && !NEVER_READ.includes(kind),
      );
      expect(open.map(({ path, bit, how }) => `${path} ${bit} ${how}`)).toEqual([]);
      for (const id of BROKERS) expect(world.kept(id).length).toBeLessThanOrEqual(world.lanes.length);
    },
    120_000,
  );
});
