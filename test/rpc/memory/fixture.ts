import { expect } from 'vitest';
import { createMemoryNetwork, type MemoryNetworkOptions } from '../../../src/rpc/memory/index.ts';
import { Scheduler } from '../../../src/testing/twins/index.ts';
import { serverSide } from '../services.ts';

export const ADDRESS = { host: 'b', port: 9092 };

/** A server `b` and a connection of `a` to it, in virtual time. */
export async function openNetwork(options: Partial<MemoryNetworkOptions> = {}) {
  const scheduler = new Scheduler();
  const network = createMemoryNetwork({ timers: scheduler, delayMs: () => 5, ...options });
  const side = serverSide();
  const listener = await network.transport('b').serve(ADDRESS, side.services);
  const connection = network.transport('a').connect(ADDRESS);
  /** Runs events, and the promises between them, for so long. */
  const pass = async (durationMs: number): Promise<void> => {
    const until = scheduler.nowMs + durationMs;
    let over = false;
    scheduler.after(durationMs, () => {
      over = true;
    });
    while (!over && scheduler.step()) await new Promise((resolve) => setImmediate(resolve));
    expect(scheduler.nowMs).toBe(until);
  };
  return { scheduler, network, side, listener, connection, pass };
}

/** What a promise has come to so far. */
export const outcome = <T>(promise: Promise<T>): { value?: T; error?: unknown } => {
  const seen: { value?: T; error?: unknown } = {};
  promise.then(
    (value) => {
      seen.value = value;
    },
    (error) => {
      seen.error = error;
    },
  );
  return seen;
};
