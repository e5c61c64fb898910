import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePorts } from '../../../src/env/node/index.ts';
import { environment, MAIN } from './command.ts';

it('a node that was ready and then killed leaves what it compiled to its successor', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-compile-cache-test-'));
  const cache = join(directory, 'cache');
  const [port] = await freePorts(1);
  const config = join(directory, 'server.yaml');
  await writeFile(
    config,
    `process.roles: controller\nnode.id: 1\nlisteners: CONTROLLER://127.0.0.1:${port}\n` +
      `controller.quorum.voters: 1@127.0.0.1:${port}\nlog.dirs: ${directory}/data\n`,
  );
  const child = spawn(process.execPath, [MAIN, 'server', '--config', config], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: environment({ env: { NODE_COMPILE_CACHE: cache } }),
  });
  try {
    await once(child, 'message');
    const compiled = async (): Promise<number> => (await readdir(cache, { recursive: true })).length;
    await expect.poll(compiled, { timeout: 10_000 }).toBeGreaterThan(100);
    child.kill('SIGKILL');
    await once(child, 'exit');
  } finally {
    child.kill('SIGKILL');
    await rm(directory, { recursive: true });
  }
}, 40_000);
