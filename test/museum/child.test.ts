import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSeeds } from './child.ts';

let tree: string;
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'child-'));
  mkdirSync(join(tree, 'test/museum'), { recursive: true });
});
afterEach(() => rmSync(tree, { recursive: true }));

/** Runs three seeds of a simulation that does this. */
function run(source: string) {
  writeFileSync(join(tree, 'test/museum/run-seeds.ts'), source);
  return runSeeds({ tree, kind: 'sim', from: 7, count: 3, seedMsMax: 500 });
}

const SAY_DONE = 'console.log(JSON.stringify({ seed: 7, cpuMs: 5 }));';

describe('a child that runs seeds', () => {
  it('is done when it ends', async () => {
    expect(await run(SAY_DONE)).toEqual({ count: 1, cpuMs: 5 });
  });

  it('runs for ever when a seed takes too much of the processor', async () => {
    const { failed } = await run(`${SAY_DONE} while (true);`);
    expect(failed).toMatchObject({ seed: 8, law: 'a run ends' });
  });

  it('goes on when a seed takes long, but not of the processor', async () => {
    expect(await run(`setTimeout(() => {${SAY_DONE}}, 1_500);`)).toEqual({ count: 1, cpuMs: 5 });
  });

  it('runs for ever when it stands still', async () => {
    const { failed } = await run('setInterval(() => {}, 1_000);');
    expect(failed).toMatchObject({ seed: 7, law: 'a run ends' });
  });

  it('has died when it ends with an error', async () => {
    const { failed } = await run(`${SAY_DONE} process.exit(3);`);
    expect(failed).toMatchObject({ seed: 8, law: 'a process lives' });
  });

  it('tells the first failure', async () => {
    const { failed } = await run(
      "console.log(JSON.stringify({ seed: 7, cpuMs: 5, law: 'x', message: 'y' }));",
    );
    expect(failed).toEqual({ seed: 7, law: 'x', message: 'y' });
  });
});
