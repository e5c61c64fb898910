/**
 * Random faults, one seed each: brokers lose power, connections break, links are cut, metadata arrive late, while
 * producers write with acks=all to a topic with min.insync.replicas=2. Elections are clean. After every event the laws of
 * the high watermark hold; in the end every acknowledged record is where its acknowledgement said, on every replica.
 */
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { batchOf, type TestBroker, TestCluster, TOPIC } from './cluster.ts';

interface Acked {
  readonly value: string;
  readonly offset: number;
}

async function trouble(seed: number): Promise<{ acked: Acked[]; events: number }> {
  const random = new SeededRandom(seed, 'trouble');
  const cluster = await TestCluster.start({
    seed,
    configs: { 'min.insync.replicas': '2' },
    delayMs: 1 + random.float() * 3,
    properties: { 'replica.lag.time.max.ms': '400' },
  });
  const acked: Acked[] = [];
  let sequence = 0;
  const send = (): void => {
    const leader = cluster.brokers[cluster.registration().leader - 1];
    if (leader?.alive !== true) return;
    const value = `s${seed}-${sequence++}`;
    const batches = [{ topic: TOPIC, partition: 0, batch: batchOf([value]) }];
    const { manager } = leader;
    void manager.append({ acks: -1, timeoutMs: 500, batches }).then(([reply]) => {
      if (reply?.error === 'NONE') acked.push({ value, offset: reply.baseOffset });
    });
  };
  const other = (id: number) => ((id + random.integer(0, 2)) % 3) + 1;
  const starting = new Set<number>();
  const fenceLater = (broker: TestBroker): void => {
    const { epoch } = broker;
    cluster.scheduler.after(random.integer(0, 40), () => {
      if (broker.epoch === epoch) cluster.fence(broker.id);
    });
  };
  const act = (): void => {
    const broker = cluster.get(random.integer(1, 4));
    const { id } = broker;
    switch (random.integer(0, 12)) {
      case 0:
        if (!broker.alive || starting.has(id)) return;
        broker.kill(random.float() < 0.7 ? 'power' : 'process');
        fenceLater(broker);
        return;
      case 1:
      case 2:
        if (broker.alive || starting.has(id)) return;
        starting.add(id);
        void broker.start().finally(() => starting.delete(id));
        return;
      case 3:
        cluster.network.cut(`broker-${id}`, `broker-${other(id)}`);
        return;
      case 4:
      case 5:
        cluster.network.heal();
        return;
      case 6:
        cluster.network.break(`broker-${id}`, `broker-${other(id)}`);
        return;
      case 7:
        broker.held = true;
        cluster.scheduler.after(random.integer(1, 300), () => {
          broker.held = false;
          broker.tell();
        });
        return;
      case 8: {
        const { isr, leader } = cluster.registration();
        const next = isr[random.integer(0, isr.length)] ?? leader;
        if (leader !== -1 && cluster.get(next).alive) cluster.elect(next, isr);
        return;
      }
      default:
        for (let i = random.integer(1, 5); i > 0; i--) send();
    }
  };
  const events = 300;
  for (let i = 0; i < events; i++) {
    act();
    await cluster.run(random.float() < 0.8 ? random.float() * 10 : random.float() * 200);
    checkHighWatermarks(cluster);
  }
  cluster.network.heal();
  for (const broker of cluster.brokers) {
    broker.held = false;
    broker.tell();
  }
  await cluster.until(() => starting.size === 0);
  for (const broker of cluster.brokers) if (!broker.alive) await cluster.finish(broker.start());
  expect(await cluster.until(() => cluster.registration().isr.length === 3)).toBe(true);
  const leader = cluster.get(cluster.registration().leader);
  expect((await cluster.finish(leader.produce(['last'], { timeoutMs: 30_000 }))).error).toBe('NONE');
  await cluster.run(100);
  const logs = await Promise.all(cluster.brokers.map((broker) => broker.contents()));
  expect(logs[1]).toEqual(logs[0]);
  expect(logs[2]).toEqual(logs[0]);
  for (const { value, offset } of acked) expect(logs[0]?.[offset]).toBe(value);
  for (const { environment } of cluster.brokers) {
    expect(environment.exit.ends).toEqual([]);
    expect(environment.logger.find('cutting committed records')).toEqual([]);
    expect(environment.logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
  }
  return { acked, events };
}

/** Nobody believes more to be committed than every member of the controller's in-sync set has on disk. */
function checkHighWatermarks(cluster: TestCluster): void {
  const members = cluster.registration().isr.map((id) => cluster.get(id));
  const highest = Math.max(...cluster.brokers.map(({ alive, manager }) => highWatermarkOf(alive, manager)));
  for (const member of members) {
    if (!member.alive) continue;
    const log = member.manager.find(TOPIC, 0)?.log;
    if (log !== undefined) expect(log.flushedOffset).toBeGreaterThanOrEqual(highest);
  }
}

function highWatermarkOf(alive: boolean, manager: TestCluster['brokers'][number]['manager']): number {
  return alive ? (manager.find(TOPIC, 0)?.log.highWatermark ?? 0) : 0;
}

describe('acknowledged records', () => {
  const count = Number(process.env.SEEDS ?? 12);
  const first = Number(process.env.SEED ?? 1);
  for (let seed = first; seed < first + count; seed++)
    it(`are never lost, whatever fails (SEED=${seed} SEEDS=1)`, async () => {
      const { acked } = await trouble(seed);
      expect(acked.length).toBeGreaterThan(5);
    });
});
