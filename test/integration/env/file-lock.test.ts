import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/env/node/index.ts';

const HOLDER = `
import { nodeFiles } from ${JSON.stringify(new URL('../../../src/env/node/index.ts', import.meta.url).href)};
await nodeFiles().lock(process.argv[1]);
console.log('locked');
setInterval(() => {}, 1000);
`;

let directory: string;
let path: string;
let holder: ChildProcess | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quorate-lock-'));
  path = `${directory}/.lock`;
});
afterEach(async () => {
  holder?.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

/** A process that holds the lock. */
function startHolder(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  holder = child;
  return new Promise((resolve, reject) => {
    child.stdout.once('data', () => resolve(child));
    child.once('exit', (status) => reject(new Error(`the holder ended with ${status}`)));
  });
}

it('a live holder keeps the lock, even stopped, and is named', async () => {
  const child = await startHolder();
  const refusal = { reason: 'locked', message: expect.stringContaining(`process ${child.pid};`) };
  await expect(nodeFiles().lock(path)).rejects.toMatchObject(refusal);
  child.kill('SIGSTOP');
  await expect(nodeFiles().lock(path)).rejects.toMatchObject(refusal);
});

it('the lock of a process that was killed with -9 falls, and what it left is cleaned up', async () => {
  const child = await startHolder();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  expect(await nodeFiles().list(directory)).toHaveLength(1);
  const lock = await nodeFiles().lock(path);
  expect(await nodeFiles().list(directory)).toHaveLength(1);
  await lock.release();
  expect(await nodeFiles().list(directory)).toEqual([]);
});
