import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePorts } from '../../../src/env/node/index.ts';
import { environment, MAIN } from './command.ts';

it('a node whose parent ends while it starts ends as well', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-orphan-test-'));
  const [mine, ...others] = await freePorts(3);
  // A quorum whose other members never come: nothing else would end this node.
  const voters = [mine, ...others].map((port, index) => `${index + 1}@127.0.0.1:${port}`).join();
  const config = join(directory, 'server.yaml');
  await writeFile(
    config,
    `process.roles: controller\nnode.id: 1\nlisteners: CONTROLLER://127.0.0.1:${mine}\n` +
      `controller.quorum.voters: ${voters}\nlog.dirs: ${directory}/data\n`,
  );
  const child = spawn(process.execPath, [MAIN, 'server', '--config', config], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: environment({}),
  });
  child.disconnect();
  try {
    const [code, signal] = await once(child, 'exit');
    expect([code, signal]).toEqual([null, 'SIGTERM']);
  } finally {
    child.kill('SIGKILL');
    await rm(directory, { recursive: true });
  }
}, 20_000);
