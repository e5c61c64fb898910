/** A client and a fake cluster in virtual time. */
import { type Client, type ClientSettings, createClient } from '../../src/client/index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../src/testing/twins/index.ts';
import { FakeCluster } from './fake-cluster.ts';

export interface ClientWorld {
  readonly environment: TestEnvironment;
  readonly cluster: FakeCluster;
  readonly client: Client;
  /** Lets virtual time pass until the promise settles, at most `limitMs`. */
  finish<T>(promise: Promise<T>, limitMs?: number): Promise<T>;
  run(durationMs: number): Promise<void>;
}

export function clientWorld(
  options: { seed?: number; brokers?: number; settings?: Partial<ClientSettings> } = {},
): ClientWorld {
  const environment = createTestEnvironment({ seed: options.seed ?? 1, name: 'client' });
  const cluster = new FakeCluster(environment, options.brokers ?? 3);
  const client = createClient({
    bootstrap: cluster.bootstrap,
    transport: cluster.transport(),
    environment,
    ...options.settings,
  });
  const { scheduler } = environment;
  return {
    environment,
    cluster,
    client,
    finish: (promise, limitMs = 600_000) => scheduler.finish(promise, limitMs),
    run: (durationMs) => scheduler.run(durationMs),
  };
}

/** What `promise` rejects with; fails when it does not. */
export async function rejection(
  promise: Promise<unknown>,
): Promise<Error & { code?: string; definite?: boolean }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a rejection');
}
