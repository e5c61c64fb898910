import { expect, it } from 'vitest';
import { type Clock, sleep, type Timers } from '../../src/env/index.ts';

export interface ClockFixture {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Lets time pass until `promise` settles. */
  finish<T>(promise: Promise<T>): Promise<T>;
}

/** What every `Clock` with its `Timers` promises. */
export function clockContract(make: () => ClockFixture): void {
  it('monotonic time never goes back, wall time is an integer near a date', () => {
    const { clock } = make();
    let last = clock.monotonicMs();
    for (let i = 0; i < 1000; i++) {
      const now = clock.monotonicMs();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
    expect(Number.isInteger(clock.wallMs())).toBe(true);
    expect(clock.wallMs()).toBeGreaterThan(Date.UTC(2024, 0));
  });

  it('a timer fires once, never before its time, never inside the call that set it', async () => {
    const { clock, timers, finish } = make();
    for (const delayMs of [0, 0.4, 1, 5.5]) {
      const start = clock.monotonicMs();
      let fired = 0;
      const done = new Promise<number>((resolve) => {
        timers.after(delayMs, () => {
          fired++;
          resolve(clock.monotonicMs() - start);
        });
        expect(fired).toBe(0);
      });
      expect(await finish(done)).toBeGreaterThanOrEqual(delayMs);
      expect(fired).toBe(1);
    }
  });

  it('a cancelled timer does not fire; cancelling again, or after it fired, does nothing', async () => {
    const { timers, finish } = make();
    const seen: string[] = [];
    const cancelled = timers.after(0, () => seen.push('cancelled'));
    cancelled.cancel();
    cancelled.cancel();
    await finish(sleep(timers, 2));
    const fired = timers.after(0, () => seen.push('fired'));
    await finish(sleep(timers, 2));
    fired.cancel();
    expect(seen).toEqual(['fired']);
  });

  it('a timer of a month neither fires at once nor keeps others from firing', async () => {
    const { timers, finish } = make();
    let fired = false;
    const long = timers.after(31 * 24 * 3_600_000, () => {
      fired = true;
    });
    await finish(sleep(timers, 3));
    expect(fired).toBe(false);
    long.cancel();
  });

  it('sleep rejects with the reason of its signal and forgets its timer', async () => {
    const { timers, finish } = make();
    const controller = new AbortController();
    const slept = sleep(timers, 3_600_000, controller.signal);
    slept.catch(() => {});
    controller.abort(new Error('enough'));
    await expect(finish(slept)).rejects.toThrow('enough');
    await expect(finish(sleep(timers, 1, controller.signal))).rejects.toThrow('enough');
  });
}
