import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { type TestBroker, TestCluster, TOPIC } from './cluster.ts';

const STEPS = 40;
const SEEDS = Number(process.env.LOG_START_SEEDS ?? 12);

/** A partition of three replicas whose brokers lose power, whose leaders move, and whose head is deleted meanwhile. */
class Story {
  readonly #random: SeededRandom;
  readonly #cluster: TestCluster;
  /** The largest low watermark anybody was told. */
  #deletedBelow = 0;
  #deletions = 0;
  #count = 0;

  constructor(cluster: TestCluster, random: SeededRandom) {
    this.#cluster = cluster;
    this.#random = random;
  }

  get deletions(): number {
    return this.#deletions;
  }

  async step(): Promise<void> {
    const cluster = this.#cluster;
    const leader = this.#leader();
    const dice = this.#random.integer(0, 100);
    if (leader === undefined || dice < 5) await this.#bringBack();
    else if (dice < 45) void leader.produce([`v${this.#count++}`]).catch(() => {});
    else if (dice < 65) this.#delete(leader);
    else if (dice < 72) await this.#killOne();
    else if (dice < 80) this.#electOther();
    else if (dice < 84)
      await cluster.finish(leader.replica().log.advanceLogStart(leader.replica().log.highWatermark));
    for (let ms = this.#random.integer(1, 12); ms > 0; ms--) {
      await cluster.run(1);
      this.#check();
    }
  }

  async end(): Promise<void> {
    const cluster = this.#cluster;
    for (const { alive } of cluster.brokers) if (!alive) await this.#bringBack();
    await cluster.run(3_000);
    this.#check();
    const logs = cluster.brokers.map((broker) => broker.replica().log);
    const ends = logs.map(({ logStartOffset, logEndOffset }) => [logStartOffset, logEndOffset]);
    expect(ends).toEqual([ends[0], ends[0], ends[0]]);
  }

  #check(): void {
    for (const broker of this.#cluster.brokers) {
      if (!broker.alive) continue;
      const { log, state } = broker.replica();
      expect(log.failure).toBeUndefined();
      expect(log.durableLogStartOffset).toBeLessThanOrEqual(log.logStartOffset);
      expect(log.logStartOffset).toBeLessThanOrEqual(log.highWatermark);
      expect(log.highWatermark).toBeLessThanOrEqual(log.logEndOffset);
      if (state.isLeader && this.#cluster.registration().leader === broker.id)
        expect(log.logStartOffset, 'deleted records came back').toBeGreaterThanOrEqual(this.#deletedBelow);
    }
  }

  #delete(leader: TestBroker): void {
    const { highWatermark } = leader.replica().log;
    const beforeOffset = this.#random.integer(0, highWatermark + 2);
    const asked = [{ topic: TOPIC, partition: 0, beforeOffset }];
    leader.manager.deleteRecords(asked, 2_000).then(([reply]) => {
      if (reply?.error !== 'NONE') return;
      this.#deletions++;
      this.#deletedBelow = Math.max(this.#deletedBelow, reply.lowWatermark);
    });
  }

  /** Its broker is fenced some time after it died, as by a controller that misses it. */
  async #killOne(): Promise<void> {
    const live = this.#cluster.brokers.filter(({ alive }) => alive);
    const victim = live[this.#random.integer(0, live.length)];
    if (victim === undefined || live.length < 2) return;
    victim.kill('power');
    await this.#cluster.run(this.#random.integer(0, 20));
    this.#cluster.fence(victim.id);
  }

  async #bringBack(): Promise<void> {
    const dead = this.#cluster.brokers.find(({ alive }) => !alive);
    if (dead !== undefined) await this.#cluster.finish(dead.start());
  }

  #electOther(): void {
    const { isr, leader } = this.#cluster.registration();
    const others = isr.filter((id) => id !== leader && this.#cluster.get(id).alive);
    const next = others[this.#random.integer(0, Math.max(1, others.length))];
    if (next !== undefined) this.#cluster.elect(next, isr);
  }

  #leader(): TestBroker | undefined {
    const { leader } = this.#cluster.registration();
    const broker = leader < 0 ? undefined : this.#cluster.get(leader);
    return broker?.alive && broker.manager.find(TOPIC, 0)?.state.isLeader ? broker : undefined;
  }
}

describe('the log start of replicas whose brokers come and go', () => {
  for (let seed = 1; seed <= SEEDS; seed++)
    it(`never passes the high watermark, and what was deleted stays so, seed ${seed}`, async () => {
      const random = new SeededRandom(seed, 'story');
      const cluster = await TestCluster.start({
        seed,
        properties: { 'log.retention.check.interval.ms': '50' },
      });
      const story = new Story(cluster, random);
      for (let i = 0; i < STEPS; i++) await story.step();
      await story.end();
      expect(story.deletions).toBeGreaterThan(0);
    });
});
