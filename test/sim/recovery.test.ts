import { describe, expect, it } from 'vitest';
import { assertNothingLeft } from '../../src/testing/sim/cluster/recovery.ts';
import { createTestEnvironment } from '../../src/testing/twins/index.ts';

describe('what a stopped node leaves', () => {
  it('is no open file', async () => {
    const environment = createTestEnvironment({ seed: 1 });
    const handle = await environment.files.open('/a', 'create');
    expect(() => assertNothingLeft('n', environment)).toThrow('has no file open: {"node":"n","open":["/a"]}');
    await handle.close();
    expect(() => assertNothingLeft('n', environment)).not.toThrow();
  });

  it('is no timer that has not fired and was not cancelled', async () => {
    const environment = createTestEnvironment({ seed: 1 });
    const { timers, scheduler } = environment;
    const cancelled = timers.after(1, () => {});
    cancelled.cancel();
    cancelled.cancel();
    const fired = timers.after(1, () => {});
    expect(() => assertNothingLeft('n', environment)).toThrow('has no timer: {"node":"n","pending":1}');
    await scheduler.run(2);
    fired.cancel();
    expect(() => assertNothingLeft('n', environment)).not.toThrow();
  });
});
