/**
 * One idempotent producer with up to five batches in flight, which repeats in order whatever is in doubt, at whoever leads,
 * while brokers die, lose power, are cut off and leaders move. In the end every batch is in the log once, in order, where
 * its acknowledgements said, and nobody ever took a repetition for a gap.
 */
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { batchOf, TestCluster, TOPIC } from './cluster.ts';

const EVENTS = 120;

class Run {
  readonly cluster: TestCluster;
  readonly random: SeededRandom;
  readonly offsets = new Map<number, number>();
  /** All sequences below it are acknowledged. */
  acked = 0;
  over = false;
  readonly #starting = new Set<number>();

  constructor(cluster: TestCluster, random: SeededRandom) {
    this.cluster = cluster;
    this.random = random;
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.cluster.scheduler.after(ms, resolve));
  }

  async produce(): Promise<void> {
    while (!this.over) {
      const leader = this.cluster.brokers[this.cluster.registration().leader - 1];
      if (leader?.alive === true) {
        const window = Array.from({ length: this.random.integer(1, 6) }, (_, i) => this.acked + i);
        const sent = Promise.all(window.map((sequence) => this.send(leader.manager, sequence)));
        // A broker that died answers nothing.
        await Promise.race([sent, this.pause(800)]);
        while (this.offsets.has(this.acked)) this.acked++;
      }
      await this.pause(this.random.integer(1, 5));
    }
  }

  async send(manager: TestCluster['brokers'][number]['manager'], sequence: number): Promise<void> {
    const producer = { producerId: 5, producerEpoch: 0, baseSequence: sequence };
    const batch = batchOf([`v${sequence}`], producer);
    const batches = [{ topic: TOPIC, partition: 0, batch }];
    const [reply] = await manager.append({ acks: -1, timeoutMs: 500, batches });
    if (reply === undefined || this.over) return;
    if (sequence === this.acked) expect(reply.error).not.toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    if (reply.error !== 'NONE') return;
    expect(this.offsets.get(sequence) ?? reply.baseOffset).toBe(reply.baseOffset);
    this.offsets.set(sequence, reply.baseOffset);
  }

  trouble(): void {
    const { cluster, random } = this;
    const broker = cluster.get(random.integer(1, 4));
    const peer = ((broker.id + random.integer(0, 2)) % 3) + 1;
    const road = [`broker-${broker.id}`, `broker-${peer}`] as const;
    const kind = random.integer(0, 10);
    if (kind === 0 && broker.alive && !this.#starting.has(broker.id)) {
      broker.kill(random.float() < 0.7 ? 'power' : 'process');
      const { epoch } = broker;
      cluster.scheduler.after(random.integer(0, 40), () => {
        if (broker.epoch === epoch) cluster.fence(broker.id);
      });
    }
    if (kind >= 1 && kind <= 3 && !broker.alive && !this.#starting.has(broker.id)) {
      this.#starting.add(broker.id);
      void broker.start().finally(() => this.#starting.delete(broker.id));
    }
    if (kind === 4) cluster.network.cut(...road);
    if (kind === 5 || kind === 6) cluster.network.heal();
    if (kind === 7) cluster.network.break(...road);
    if (kind !== 8) return;
    const { isr, leader } = cluster.registration();
    const next = isr[random.integer(0, isr.length)] ?? leader;
    if (leader !== -1 && cluster.get(next).alive) cluster.elect(next, isr);
  }

  async mend(): Promise<void> {
    this.cluster.network.heal();
    await this.cluster.until(() => this.#starting.size === 0);
    for (const broker of this.cluster.brokers) if (!broker.alive) await this.cluster.finish(broker.start());
  }
}

async function check(seed: number): Promise<void> {
  const random = new SeededRandom(seed, 'idempotence');
  const cluster = await TestCluster.start({
    seed,
    configs: { 'min.insync.replicas': '2', 'segment.bytes': '1000' },
    delayMs: 1 + random.float() * 3,
    properties: { 'replica.lag.time.max.ms': '400' },
  });
  const run = new Run(cluster, random);
  const producing = run.produce();
  for (let i = 0; i < EVENTS; i++) {
    run.trouble();
    await cluster.run(random.float() < 0.8 ? random.float() * 20 : random.float() * 200);
  }
  await run.mend();
  const target = run.acked + 5;
  expect(await cluster.until(() => run.acked >= target, 20_000)).toBe(true);
  run.over = true;
  await cluster.finish(producing);
  expect(await cluster.until(() => cluster.registration().isr.length === 3)).toBe(true);
  const log = await cluster.get(cluster.registration().leader).contents();
  expect(log.slice(0, run.acked)).toEqual(Array.from({ length: run.acked }, (_, i) => `v${i}`));
  for (const [sequence, offset] of run.offsets) expect(log[offset]).toBe(`v${sequence}`);
}

describe('batches of an idempotent producer', () => {
  const count = Number(process.env.SEEDS ?? 6);
  const first = Number(process.env.SEED ?? 1);
  for (let seed = first; seed < first + count; seed++)
    it(`are in the log once and in order, whatever fails (SEED=${seed} SEEDS=1)`, () => check(seed));
});

describe('a batch that is repeated at the next leader', () => {
  it('is answered with the epoch of the leader that appended it, and with none when it is gone', async () => {
    const cluster = await TestCluster.start();
    const produce = async (baseSequence: number) => {
      const batch = batchOf(['a'], { producerId: 5, producerEpoch: 0, baseSequence });
      const { manager } = cluster.get(cluster.registration().leader);
      const batches = [{ topic: TOPIC, partition: 0, batch }];
      const [reply] = await cluster.finish(manager.append({ acks: -1, timeoutMs: 500, batches }));
      return { error: reply?.error, offset: reply?.baseOffset, epoch: reply?.leaderEpoch };
    };
    const { leader, isr, leaderEpoch: epoch } = cluster.registration();
    expect(await produce(0)).toEqual({ error: 'NONE', offset: 0, epoch });
    cluster.elect(isr.find((one) => one !== leader) ?? leader, isr);
    await cluster.until(() => cluster.get(cluster.registration().leader).replica().state.isLeader);
    expect(await produce(1)).toEqual({ error: 'NONE', offset: 1, epoch: epoch + 1 });
    expect(await produce(0)).toEqual({ error: 'NONE', offset: 0, epoch });
    const { log } = cluster.get(cluster.registration().leader).replica();
    await cluster.finish(log.advanceLogStart(1));
    expect(await produce(0)).toEqual({ error: 'NONE', offset: 0, epoch: -1 });
  });
});
