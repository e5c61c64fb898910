import { expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { openQuorumStore } from '../../../src/raft/store/index.ts';
import { createTestEnvironment, Scheduler } from '../../../src/testing/twins/index.ts';
import { contents, format, open } from './store-fixture.ts';

const DIRECTORY = '/data/deep/metadata';

it('a power failure at any moment of formatting leaves nothing, or all of it, and never doubt', async () => {
  const outcomes = { empty: 0, open: 0, quarantined: 0 };
  for (let seed = 0; seed < 300; seed++) {
    const random = new SeededRandom(seed, 'test');
    const scheduler = new Scheduler({ random });
    const disk = { scheduler, delayMs: () => random.float() * 2 };
    let world = createTestEnvironment({ seed, scheduler, disk });
    for (let attempt = 0; attempt < 3; attempt++) {
      const at = { directory: DIRECTORY, files: world.files, stores: world.stores };
      void format(at);
      await scheduler.run(random.float() * 40);
      world = random.float() < 0.5 ? world.crash() : world.kill();
      const after = { directory: DIRECTORY, files: world.files, stores: world.stores };
      const opening = await scheduler.finish(openQuorumStore(after));
      outcomes[opening.kind]++;
      if (opening.kind !== 'open') continue;
      expect(await contents(opening.store)).toEqual([]);
      break;
    }
  }
  expect(outcomes.quarantined).toBe(0);
  expect(outcomes.empty).toBeGreaterThan(100);
  expect(outcomes.open).toBeGreaterThan(50);
});

it('what is opened survives a power failure, whenever the process that formatted it died', async () => {
  let opened = 0;
  for (let seed = 0; seed < 300; seed++) {
    const random = new SeededRandom(seed, 'test');
    const scheduler = new Scheduler({ random });
    const disk = { scheduler, delayMs: () => random.float() * 2 };
    let world = createTestEnvironment({ seed, scheduler, disk });
    const look = () =>
      scheduler.finish(openQuorumStore({ directory: DIRECTORY, files: world.files, stores: world.stores }));
    void format({ directory: DIRECTORY, files: world.files, stores: world.stores });
    await scheduler.run(random.float() * 40);
    world = world.kill();
    const opening = await look();
    if (opening.kind !== 'open') continue;
    opened++;
    world = world.crash();
    expect((await look()).kind).toBe('open');
  }
  expect(opened).toBeGreaterThan(50);
});

it('formatting that has resolved survives a power failure', async () => {
  for (let seed = 0; seed < 50; seed++) {
    const world = createTestEnvironment({ seed });
    await format({ directory: DIRECTORY, files: world.files, stores: world.stores });
    const { files, stores } = world.crash();
    const store = await open({ directory: DIRECTORY, files, stores });
    expect(store.log.endOffset).toBe(0);
  }
});

it('a log without its state is not formatted over', async () => {
  const { files, stores } = createTestEnvironment({ seed: 1 });
  const disk = { directory: DIRECTORY, files, stores };
  await format(disk);
  await files.remove(`${DIRECTORY}/quorum-state`);
  await expect(format(disk)).rejects.toThrow('without its state');
});

it('a full disk while formatting is an error that names it, and leaves an empty directory', async () => {
  const { files, stores } = createTestEnvironment({ seed: 1 });
  const disk = { directory: DIRECTORY, files, stores };
  files.capacityBytes = 1000;
  await expect(format(disk)).rejects.toMatchObject({ reason: 'disk-full' });
  expect(await openQuorumStore(disk)).toEqual({ kind: 'empty' });
  files.capacityBytes = 1_000_000;
  await format(disk);
  await (await open(disk)).close();
});
