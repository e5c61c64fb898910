import { describe, expect, it } from 'vitest';
import { SessionWatch } from '../../../src/metadata/node/session-watch.ts';
import { createTestEnvironment } from '../../../src/testing/twins/index.ts';
import { ControllerFixture } from '../controller/fixture.ts';

function watching(fence: (brokerId: number) => Promise<boolean>) {
  const environment = createTestEnvironment({ seed: 1 });
  const f = new ControllerFixture().start(1, 2);
  const watch = new SessionWatch({ environment, sessions: f.sessions, image: () => f.image, fence });
  watch.start();
  return { f, watch, scheduler: environment.scheduler };
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
