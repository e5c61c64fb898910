import { execFile } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeTemporaryDirectory } from '../../src/env/node/index.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

/** What a project sees that installed the package: its files as `npm pack` lists them, and its dependencies. */
describe('the package', () => {
  let project = '';

  beforeAll(async () => {
    project = await makeTemporaryDirectory('quorate-package-');
    await run('npm', ['run', 'build'], { cwd: ROOT });
    const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project], {
      cwd: ROOT,
    });
    const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
    await run('tar', ['-xzf', filename], { cwd: project });
    await symlink(join(ROOT, 'node_modules'), join(project, 'package/node_modules'));
    await mkdir(join(project, 'node_modules'));
    await symlink(join(project, 'package'), join(project, 'node_modules/quorate'));
    await writeFile(join(project, 'package.json'), '{"type":"module"}');
  });

  afterAll(() => rm(project, { recursive: true, force: true }));

  const node = (script: string) =>
    run(process.execPath, ['--input-type=module', '-e', script], { cwd: project });

  test('runs its command line', async () => {
    const { stdout } = await run(process.execPath, ['node_modules/quorate/bin/quorate.js', '--version'], {
      cwd: project,
    });
    expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test('starts a cluster, sends and reads from plain JavaScript', async () => {
    const { stdout } = await node(`
      import { createClient } from 'quorate/client';
      import { startCluster } from 'quorate/testing';
      const cluster = await startCluster({ controllers: 1, brokers: 1 });
      await cluster.admin.createTopic('t');
      const client = createClient({ bootstrap: cluster.bootstrap });
      const { offset } = await client.producer().send('t', { key: 'a', value: '1' });
      const [record] = await cluster.readAll('t');
      console.log(JSON.stringify({ offset, value: record.value.toString() }));
      await client.close();
      await cluster.close();
    `);
    expect(JSON.parse(stdout)).toEqual({ offset: 0, value: '1' });
  });

  test('simulates a cluster from plain JavaScript', async () => {
    const { stdout } = await node(`
      import { simulate } from 'quorate/testing';
      const main = async (world) => {
        await world.client('sender').producer().send('t', { value: '1' });
      };
      const { hash } = await simulate(1, main, { topics: [{ name: 't' }] });
      const again = await simulate(1, main, { topics: [{ name: 't' }] });
      console.log(JSON.stringify([hash === again.hash]));
    `);
    expect(JSON.parse(stdout)).toEqual([true]);
  });

  test('ships the .proto files, reachable by name', async () => {
    const { stdout } = await node(
      `console.log(import.meta.resolve('quorate/proto/quorate/v1/broker.proto'))`,
    );
    expect(stdout.trim()).toMatch(/quorate\/v1\/broker\.proto$/);
  });
});
