/** The shim between a node and libc, and what power loss leaves behind it. Without a compiler it says why there is none. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { compileShim, ERRNO, ShimmedDisk } from '../chaos/disk/shim.ts';

/** Loses all that may be lost. */
const LOSE_ALL = {
  float: () => 0.99,
  integer: (min: number) => min,
  bytes: (count: number) => new Uint8Array(count),
};
let place: string;

beforeEach(() => {
  place = mkdtempSync(`${tmpdir()}/quorate-shim-`);
});

afterEach(() => rmSync(place, { recursive: true, force: true }));

/** Runs `body`, which may use `fs` and `root`, and resolves with what it printed when it ended or, at `HOLD`, was killed. */
async function runBehind(disk: ShimmedDisk, root: string, body: string): Promise<string> {
  const script = `${place}/script.mjs`;
  writeFileSync(script, `import fs from 'node:fs';\nconst root = ${JSON.stringify(root)};\n${body}\n`);
  const child: ChildProcess = spawn(process.execPath, [script], {
    env: { ...process.env, ...disk.environment() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout?.on('data', (bytes) => {
    said += bytes;
    if (said.includes('HOLD')) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  disk.handleEnd();
  return said.replace('HOLD', '');
}

async function diskAt(root: string): Promise<ShimmedDisk | undefined> {
  const shim = await compileShim(place);
  if ('missing' in shim) expect(shim.missing).not.toBe('');
  return 'path' in shim ? new ShimmedDisk(shim.path, root, `${place}/shim`) : undefined;
}

it('after a kill and power loss a file has what was synced, and names are there whose directory was', async () => {
  const root = `${place}/data`;
  mkdirSync(root);
  const disk = await diskAt(root);
  if (disk === undefined) return;
  await runBehind(
    disk,
    root,
    `const sync = (path) => { const d = fs.openSync(path, 'r'); fs.fsyncSync(d); fs.closeSync(d); };
    fs.mkdirSync(root + '/kept'); sync(root);
    const file = fs.openSync(root + '/kept/file', 'w+');
    fs.writeSync(file, 'a'.repeat(3000), 0); sync(root + '/kept'); fs.fdatasyncSync(file);
    fs.writeSync(file, 'b'.repeat(2020), 3000); fs.writeSync(file, 'c', 7);
    fs.writeFileSync(root + '/kept/late', 'late'); fs.renameSync(root + '/kept/late', root + '/kept/later');
    fs.mkdirSync(root + '/gone'); fs.writeFileSync(root + '/gone/file', ''); sync(root + '/gone');
    setInterval(() => {}, 1000); process.stdout.write('HOLD');`,
  );
  expect(statSync(`${root}/kept/file`).size).toBe(5020);
  disk.losePower(LOSE_ALL);
  expect(readFileSync(`${root}/kept/file`, 'latin1')).toBe('a'.repeat(3000));
  expect(readdirSync(root, { recursive: true }).sort()).toEqual(['kept', 'kept/file']);
});

it('an error is given to writes, syncs and new names, and to nobody any more when the disk is healed', async () => {
  const root = `${place}/data`;
  const disk = await diskAt(root);
  if (disk === undefined) return;
  const body = `const tried = (call) => { try { call(); return 'ok'; } catch (error) { return error.code; } };
    if (!fs.existsSync(root)) fs.mkdirSync(root);
    const file = fs.openSync(root + '/file', 'a+');
    console.log(tried(() => fs.writeSync(file, 'a')), tried(() => fs.fdatasyncSync(file)),
      tried(() => fs.writeFileSync(root + '/new' + process.pid, '')), tried(() => fs.writeSync(1, '')));`;
  expect(await runBehind(disk, root, body)).toBe('ok ok ok ok\n');
  disk.set({ writeErrno: ERRNO.ENOSPC, syncErrno: ERRNO.EIO });
  expect(await runBehind(disk, root, body)).toBe('ENOSPC EIO ENOSPC ok\n');
  expect(disk.refused).toBe(3);
  disk.heal();
  expect(await runBehind(disk, root, body)).toBe('ok ok ok ok\n');
});

it('the wall clock is off by what is set, the monotonic one is not', async () => {
  const disk = await diskAt(`${place}/data`);
  if (disk === undefined) return;
  disk.set({ clockOffsetS: -3600 });
  const said = await runBehind(disk, `${place}/data`, 'console.log(Date.now(), performance.now());');
  const [wallMs, sinceStartMs] = said.split(' ').map(Number);
  expect(Math.round((Date.now() - (wallMs ?? 0)) / 60_000)).toBe(60);
  expect(sinceStartMs).toBeLessThan(60_000);
});
