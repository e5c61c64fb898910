/** What must come about within a bound of virtual time. */
import type { SimWorld } from './world.ts';

/** Throws unless `holds` does within `limitMs`. */
export type Expect = (law: string, limitMs: number, holds: () => boolean) => Promise<void>;

/** Runs until `holds`; throws when it does not within `limitMs`, or when the run has failed meanwhile. */
export async function expectSoon(
  world: SimWorld,
  law: string,
  limitMs: number,
  holds: () => boolean,
): Promise<void> {
  const done = await world.run(holds, limitMs);
  if (world.failure !== undefined) throw world.failure;
  if (!done) throw new Error(`liveness: not within ${limitMs} ms: ${law}`);
}

/** Runs until `work` is done; what it throws fails the run. */
export async function expectDone(
  world: SimWorld,
  law: string,
  limitMs: number,
  work: Promise<unknown>,
): Promise<void> {
  let isDone = false;
  const ended = work.then(() => {
    isDone = true;
  });
  ended.catch((error: unknown) => world.fail(error));
  await expectSoon(world, law, limitMs, () => isDone);
}
