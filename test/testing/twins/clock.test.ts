import { describe, expect, it } from 'vitest';
import { Scheduler, VirtualClock, VirtualTimers } from '../../../src/testing/twins/index.ts';

describe('the clocks of a node', () => {
  it('go on from where they were when their pace changes', async () => {
    const scheduler = new Scheduler();
    const clock = new VirtualClock(scheduler);
    await scheduler.run(1000);
    clock.rate = 0.5;
    expect(clock.monotonicMs()).toBe(1000);
    await scheduler.run(1000);
    expect(clock.monotonicMs()).toBe(1500);
    clock.rate = 1;
    await scheduler.run(1000);
    expect(clock.monotonicMs()).toBe(2500);
  });

  it.each([0.8, 1, 1.2])(
    'let no timer fire before its time, whatever happens meanwhile: %d',
    async (rate) => {
      const scheduler = new Scheduler();
      const clock = new VirtualClock(scheduler);
      const timers = new VirtualTimers(scheduler);
      const fired: number[] = [];
      timers.after(1000, () => fired.push(clock.monotonicMs()));
      timers.after(1000, () => {}).cancel();
      await scheduler.run(500);
      clock.rate = rate;
      timers.rate = rate;
      timers.after(100, () => fired.push(clock.monotonicMs()));
      await scheduler.run(1000);
      const [second = 0, first = 0] = fired;
      expect(second).toBeGreaterThanOrEqual(600);
      expect(second).toBeLessThan(601);
      expect(first).toBeGreaterThanOrEqual(1000);
      expect(first).toBeLessThan(1102);
      expect(timers.pending).toBe(0);
    },
  );
});
