import { describe, expect, it } from 'vitest';
import { SessionWatch } from '../../../src/metadata/node/session-watch.ts';
import { createTestEnvironment } from '../../../src/testing/twins/index.ts';
import { ControllerFixture } from '../controller/fixture.ts';

function watching(fence: (brokerId: number) => Promise<boolean>) {
  const environment = createTestEnvironment({ seed: 1 });
  const f = new ControllerFixture().start(1, 2);
  const watch = new SessionWatch({ environment, sessions: f.sessions, image: () => f.image, fence });
  watch.start();
  return { f, watch, scheduler: environment.scheduler, timers: environment.timers };
}

describe('the watch over sessions', () => {
  it('fences one broker, and the next only when the first is done', async () => {
    const fenced: number[] = [];
    const done: (() => void)[] = [];
    const { f, scheduler } = watching((brokerId) => {
      fenced.push(brokerId);
      return new Promise((resolve) => {
        done.push(() => {
          f.fence(brokerId);
          f.nowMs = scheduler.nowMs;
          resolve(true);
        });
      });
    });
    await scheduler.run(20_000);
    expect(fenced).toHaveLength(1);
    done[0]?.();
    await scheduler.run(10);
    expect(fenced.toSorted()).toEqual([1, 2]);
  });

  it('tries again, without hurry, what could not be done', async () => {
    let tries = 0;
    const { scheduler } = watching(async () => {
      tries += 1;
      return false;
    });
    await scheduler.run(9500);
    expect(tries).toBe(6);
  });

  it('hears what arrived while the process stood still before it calls anybody silent', async () => {
    const fenced: number[] = [];
    const { f, watch, scheduler, timers } = watching(async (brokerId) => {
      fenced.push(brokerId);
      f.fence(brokerId);
      return true;
    });
    timers.pause();
    await scheduler.run(12_000);
    f.nowMs = scheduler.nowMs;
    f.disconnect(2);
    watch.arm();
    timers.resume();
    await scheduler.run(20);
    f.nowMs = scheduler.nowMs;
    f.heartbeat(1);
    f.heartbeat(2);
    await scheduler.run(5000);
    expect(fenced).toEqual([]);
    await scheduler.run(5000);
    expect(fenced.toSorted()).toEqual([1, 2]);
  });

  it('fences the silent also when all its timers are late', async () => {
    const fenced: number[] = [];
    const { f, scheduler, timers } = watching(async (brokerId) => {
      fenced.push(brokerId);
      f.fence(brokerId);
      return true;
    });
    for (let i = 0; i < 20; i++) {
      timers.pause();
      await scheduler.run(1000);
      timers.resume();
      await scheduler.run(1);
    }
    expect(fenced.toSorted()).toEqual([1, 2]);
  });

  it('does nothing once it is stopped', async () => {
    let tries = 0;
    const { watch, scheduler } = watching(async () => {
      tries += 1;
      return true;
    });
    watch.stop();
    watch.arm();
    await scheduler.run(20_000);
    expect(tries).toBe(0);
  });
});
