import { expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { createTestEnvironment, Scheduler, VirtualTimers } from '../../../src/testing/twins/index.ts';

const orderOf = (seed: number): string => {
  const scheduler = new Scheduler({ random: new SeededRandom(seed) });
  const seen: number[] = [];
  for (let i = 0; i < 20; i++) scheduler.after(i % 3, () => seen.push(i));
  while (scheduler.step());
  return seen.join();
};

it('events run in the order of their time', () => {
  const scheduler = new Scheduler();
  const seen: number[] = [];
  for (const delay of [5, 1, 3, 3.5, 2, 0]) scheduler.after(delay, () => seen.push(scheduler.nowMs));
  while (scheduler.step());
  expect(seen).toEqual([0, 1, 2, 3, 3.5, 5]);
});

it('events of one moment run in the order the seed draws, the same for the same seed', () => {
  expect(orderOf(1)).toBe(orderOf(1));
  expect(new Set([1, 2, 3, 4, 5].map(orderOf)).size).toBeGreaterThan(1);
});

it('a cancelled event does not run, and an event may cancel another', () => {
  const scheduler = new Scheduler();
  const seen: string[] = [];
  const second = scheduler.after(2, () => seen.push('second'));
  scheduler.after(1, () => {
    seen.push('first');
    second.cancel();
  });
  while (scheduler.step());
  expect(seen).toEqual(['first']);
});

it('promises settle between two events', async () => {
  const scheduler = new Scheduler();
  const seen: string[] = [];
  scheduler.after(1, () => {
    void (async () => {
      for (let i = 0; i < 10; i++) await undefined;
      seen.push('settled');
    })();
  });
  scheduler.after(1, () => seen.push('next event'));
  await scheduler.run(10);
  expect(seen).toEqual(['settled', 'next event']);
  expect(scheduler.nowMs).toBe(10);
});

it('what an event throws ends the run', async () => {
  const scheduler = new Scheduler();
  scheduler.after(1, () => {
    throw new Error('thrown by an event');
  });
  await expect(scheduler.run(10)).rejects.toThrow('thrown by an event');
});

it('finish fails when a promise needs more virtual time than it is given', async () => {
  const scheduler = new Scheduler();
  await expect(scheduler.finish(new Promise(() => {}), 1000)).rejects.toThrow('did not settle');
  const { timers } = createTestEnvironment({ seed: 1, scheduler });
  await expect(
    scheduler.finish(new Promise<void>((resolve) => timers.after(500, resolve))),
  ).resolves.toBeUndefined();
});

it('timers of a stopped node never fire; those of a paused one fire when it goes on', async () => {
  const scheduler = new Scheduler();
  const [stopped, paused] = [new VirtualTimers(scheduler), new VirtualTimers(scheduler)];
  const seen: string[] = [];
  stopped.after(5, () => seen.push('stopped'));
  paused.after(5, () => seen.push('paused'));
  stopped.stop();
  paused.pause();
  await scheduler.run(10);
  expect(seen).toEqual([]);
  paused.resume();
  await scheduler.run(0);
  expect(seen).toEqual(['paused']);
});

it('two nodes of one seed draw different numbers, the same in each run', () => {
  const draw = (name: string): number => createTestEnvironment({ seed: 7, name }).random.float();
  expect(draw('a')).toBe(draw('a'));
  expect(draw('a')).not.toBe(draw('b'));
});
