/** A process that appends and saves as fast as it can is killed with -9, again and again: nothing confirmed is lost. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { nodeFiles } from '../../../src/env/node/index.ts';
import { levelStores } from '../../../src/raft/store/index.ts';
import { contents, format, open } from '../../raft/store/store-fixture.ts';

const source = (path: string): string =>
  JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href);

const WRITER = `
import { nodeFiles } from ${source('env/node/index.ts')};
import { levelStores, openQuorumStore } from ${source('raft/store/index.ts')};
const opening = await openQuorumStore({ directory: process.argv[1], files: nodeFiles(), stores: levelStores() });
if (opening.kind !== 'open') throw new Error(JSON.stringify(opening));
const { store } = opening;
let { epoch } = store.hardState;
let end = store.log.endOffset;
for (;;) {
  await store.saveHardState({ epoch: ++epoch, leaderId: -1, voters: [] });
  const confirmed = [];
  for (let i = 0; i < 20; i++) {
    const truncateFrom = i === 7 && end > 3 ? end - 3 : undefined;
    const offset = truncateFrom ?? end;
    const entry = { offset, epoch, kind: 'data', payload: Buffer.from(epoch + ':' + offset) };
    end = offset + 1;
    const options = truncateFrom === undefined ? { sync: true } : { truncateFrom, sync: true };
    confirmed.push(store.append([entry], options));
  }
  await Promise.all(confirmed);
  process.stdout.write(epoch + ' ' + end + '\\n');
}
`;

it('what a killed process had confirmed is there, and its store is not in doubt', async () => {
  const root = await mkdtemp(join(tmpdir(), 'quorate-kill-'));
  const disk = { directory: `${root}/metadata`, files: nodeFiles(), stores: levelStores() };
  try {
    await format(disk);
    for (let round = 0; round < 5; round++) {
      const confirmed = await writeUntilKilled(disk.directory, 10 + round * 17);
      const store = await open(disk);
      expect(store.hardState.epoch).toBeGreaterThanOrEqual(confirmed.epoch);
      const found = await contents(store);
      const kept = found.filter((text) => Number(text.split(':')[0]) <= confirmed.epoch);
      const cut = found.length - kept.length > 0 ? 3 : 0;
      expect(kept.length).toBeGreaterThanOrEqual(confirmed.end - cut);
      await store.close();
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

/** Runs the writer until it has confirmed `lines` rounds, kills it, and gives the last round it confirmed. */
async function writeUntilKilled(directory: string, lines: number): Promise<{ epoch: number; end: number }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let last = '';
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = line;
    if (++count === lines) child.kill('SIGKILL');
  }
  await ended;
  const [epoch, end] = last.split(' ').map(Number);
  return { epoch: epoch ?? 0, end: end ?? 0 };
}
