import { describe, expect, it } from 'vitest';
import { ApiError, SeededRandom, type Uuid } from '../../../src/base/index.ts';
import { DirectoryAssignments } from '../../../src/broker/replica/directory-assignments.ts';
import { LOST_DIRECTORY } from '../../../src/metadata/index.ts';
import type { AssignReplicasToDirsRequest } from '../../../src/rpc/api/index.ts';
import { Scheduler, VirtualTimers } from '../../../src/testing/twins/index.ts';

const TOPIC: Uuid = 'b3JkZXJzLW9yZGVycy1vcg';
const [A, B] = ['AAAAAAAAAAAAAAAAAAAAQQ', 'BBBBBBBBBBBBBBBBBBBBQQ'] as const;

/** A controller that answers when told to. */
function world() {
  const scheduler = new Scheduler({ random: new SeededRandom(1, 'schedule') });
  const asked: { request: AssignReplicasToDirsRequest; answer: () => void; fail: (error: Error) => void }[] =
    [];
  const reported: unknown[] = [];
  let epoch = 7;
  const assignments = new DirectoryAssignments({
    nodeId: 1,
    brokerEpoch: () => epoch,
    timers: new VirtualTimers(scheduler),
    send: (request) =>
      new Promise((resolve, reject) => {
        const replicas = request.replicas.map(({ topicId, partition }) => ({
          topicId,
          partition,
          error: 'NONE' as const,
        }));
        asked.push({ request, answer: () => resolve({ replicas }), fail: reject });
      }),
    report: (error) => reported.push(error),
  });
  return {
    assignments,
    asked,
    reported,
    scheduler,
    setEpoch: (next: number) => {
      epoch = next;
    },
    tell: (partition: number, directory: Uuid = A) => assignments.tell(TOPIC, partition, directory),
    /** What the last request carried, as partition and directory. */
    said: () => asked.at(-1)?.request.replicas.map((one) => [one.partition, one.directoryId]),
    answer: async () => {
      asked.at(-1)?.answer();
      await scheduler.run(0);
    },
    fail: async (error: Error) => {
      asked.at(-1)?.fail(error);
      await scheduler.run(0);
    },
    run: (ms: number) => scheduler.run(ms),
  };
}

describe('where replicas live', () => {
  it('is told in one request for all that wait, one at a time', async () => {
    const w = world();
    for (const partition of [0, 1, 2]) w.tell(partition);
    await w.run(0);
    expect(w.asked).toHaveLength(1);
    expect(w.asked[0]?.request).toMatchObject({ brokerId: 1, brokerEpoch: 7 });
    expect(w.said()).toEqual([0, 1, 2].map((partition) => [partition, A]));
    w.tell(3);
    await w.run(10_000);
    expect(w.asked).toHaveLength(1);
    await w.answer();
    expect(w.said()).toEqual([[3, A]]);
    await w.answer();
    await w.run(10_000);
    expect([w.asked.length, w.assignments.waitingCount]).toEqual([2, 0]);
  });

  it('is told as it is when the request leaves, and again when it changed while one was under way', async () => {
    const w = world();
    w.tell(0, A);
    w.tell(0, B);
    await w.run(0);
    expect(w.said()).toEqual([[0, B]]);
    w.tell(0, LOST_DIRECTORY);
    await w.answer();
    expect(w.said()).toEqual([[0, LOST_DIRECTORY]]);
    await w.answer();
    expect(w.assignments.waitingCount).toBe(0);
  });

  it('is told again and again, ever more slowly, until it is answered, with the epoch of the day', async () => {
    const w = world();
    w.tell(0);
    await w.run(0);
    const tries: number[] = [];
    for (let i = 0; i < 10; i++) {
      const before = w.asked.length;
      await w.fail(i % 2 === 0 ? new ApiError('STALE_BROKER_EPOCH') : new Error('lost'));
      const fromMs = w.scheduler.nowMs;
      w.setEpoch(100 + i);
      await w.scheduler.runUntil(() => w.asked.length > before, 60_000);
      tries.push(w.scheduler.nowMs - fromMs);
      expect(w.asked.at(-1)?.request.brokerEpoch).toBe(100 + i);
      expect(w.said()).toEqual([[0, A]]);
    }
    expect(tries).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000]);
    expect(w.reported).toHaveLength(10);
    await w.answer();
    w.tell(1);
    await w.run(0);
    await w.fail(new Error('lost'));
    await w.run(100);
    expect(w.asked).toHaveLength(13);
  });

  it('is not told of a replica that is gone meanwhile', async () => {
    const w = world();
    w.tell(0);
    w.tell(1);
    w.assignments.forget(TOPIC, 0);
    await w.run(0);
    expect(w.said()).toEqual([[1, A]]);
    await w.fail(new Error('lost'));
    w.assignments.forget(TOPIC, 1);
    await w.run(10_000);
    expect([w.asked.length, w.assignments.waitingCount]).toEqual([1, 0]);
    // Idle again: the next word leaves at once.
    w.tell(2);
    await w.run(0);
    expect(w.said()).toEqual([[2, A]]);
  });

  it('goes in requests of a limited size', async () => {
    const w = world();
    for (let partition = 0; partition < 4_001; partition++) w.tell(partition);
    await w.run(0);
    const sizes: (number | undefined)[] = [];
    for (let i = 0; i < 3; i++) {
      sizes.push(w.said()?.length);
      await w.answer();
    }
    expect(sizes).toEqual([2_000, 2_000, 1]);
    expect(w.assignments.waitingCount).toBe(0);
  });

  it('of lost logs is told before the broker counts as settled; other places may wait', async () => {
    const w = world();
    let settled = 0;
    const wait = () => void w.assignments.settled().then(() => settled++);
    w.tell(0);
    wait();
    await w.run(0);
    expect(settled).toBe(1);
    w.tell(1, LOST_DIRECTORY);
    wait();
    await w.answer();
    expect([settled, w.said()]).toEqual([1, [[1, LOST_DIRECTORY]]]);
    await w.fail(new Error('lost'));
    await w.run(100);
    expect(settled).toBe(1);
    await w.answer();
    expect(settled).toBe(2);
    w.tell(2, LOST_DIRECTORY);
    wait();
    w.assignments.forget(TOPIC, 2);
    await w.run(0);
    expect(settled).toBe(3);
  });

  it('is nobody’s business any more once it is closed', async () => {
    const w = world();
    w.tell(0, LOST_DIRECTORY);
    let settled = false;
    void w.assignments.settled().then(() => {
      settled = true;
    });
    await w.run(0);
    w.assignments.close();
    await w.fail(new Error('lost'));
    w.tell(1);
    await w.run(10_000);
    expect([settled, w.asked.length, w.assignments.waitingCount]).toEqual([true, 1, 0]);
    expect(w.reported).toEqual([]);
  });
});
