import { describe, expect, it } from 'vitest';
import { randomUuid } from '../../src/base/index.ts';
import { type MetaProperties, readMetaProperties, writeMetaProperties } from '../../src/env/index.ts';
import { nodeConfigFrom } from '../../src/server/config/node-config.ts';
import { valuesFromArguments } from '../../src/server/config/sources.ts';
import {
  clusterOf,
  type FoundDirectory,
  inspectDirectories,
  settleDirectories,
} from '../../src/server/data-directories.ts';
import { formatStorage } from '../../src/server/index.ts';
import { createTestEnvironment } from '../../src/testing/twins/index.ts';

const PATHS = ['/one', '/two', '/three'];

function world(...settings: string[]) {
  const environment = createTestEnvironment({ seed: 1 });
  const { files, random } = environment;
  const config = nodeConfigFrom(
    valuesFromArguments([
      'process.roles=broker',
      'node.id=1',
      'controller.quorum.voters=101@127.0.0.1:9193',
      'listeners=CLIENT://127.0.0.1:9092,REPLICA://127.0.0.1:9192',
      `log.dirs=${PATHS.join(',')}`,
      ...settings,
    ]),
  );
  const clusterId = randomUuid(random);
  const inspect = () => inspectDirectories(config, files);
  return {
    environment,
    files,
    clusterId,
    inspect,
    id: () => randomUuid(random),
    meta: (path: string) => readMetaProperties(files, path),
    format: () =>
      formatStorage(config, environment, { clusterId, directoryId: randomUuid(random), voters: [] }),
    async settle(homeId = randomUuid(random), found?: FoundDirectory[]) {
      const directories = found ?? (await inspect());
      return settleDirectories(directories, { homeId, clusterId, nodeId: 1 }, environment);
    },
    async write(path: string, meta: Partial<MetaProperties> = {}) {
      await files.makeDirectory(path);
      const whole = { clusterId, nodeId: 1, directoryId: randomUuid(random), ...meta };
      await writeMetaProperties(files, path, whole);
      return whole;
    },
  };
}

describe('formatting a node with several data directories', () => {
  it('gives each of them the cluster, the node and an id of its own', async () => {
    const { format, meta, clusterId } = world();
    const formatted = await format();
    expect(formatted.map(({ path }) => path)).toEqual(PATHS);
    expect(new Set(formatted.map(({ id }) => id)).size).toBe(PATHS.length);
    for (const { path, id } of formatted)
      expect(await meta(path)).toEqual({ clusterId, nodeId: 1, directoryId: id });
  });

  it('makes what is formatted usable as it is', async () => {
    const { format, settle } = world();
    const formatted = await format();
    expect(await settle(formatted[0]?.id)).toEqual(formatted);
  });

  it('fails as a whole when one of them cannot be written', async () => {
    const { format, files } = world();
    files.failNext({ operation: 'write', path: '/two', reason: 'io-error' });
    await expect(format()).rejects.toMatchObject({ reason: 'io-error' });
  });

  it('is refused when one of them is of another cluster, before anything is written', async () => {
    const { format, write, meta, id } = world();
    await write('/three', { clusterId: id() });
    await expect(format()).rejects.toThrow(/^\/three belongs to cluster/);
    expect(await meta('/one')).toBeUndefined();
  });
});

describe('the data directories of a node that starts', () => {
  it('are refused, naming both, when they are of different clusters', async () => {
    const { write, inspect, id } = world();
    const [one, two] = [await write('/one'), await write('/two', { clusterId: id() })];
    await expect(inspect()).rejects.toThrow(
      `/one belongs to node 1 of cluster ${one.clusterId}, but /two to node 1 of cluster ${two.clusterId}`,
    );
  });

  it('are refused when one is of another node', async () => {
    const { write, inspect } = world();
    await write('/one');
    await write('/two', { nodeId: 2 });
    await expect(inspect()).rejects.toThrow(/^\/two belongs to node 2, but this node is node 1/);
  });

  it('are refused, naming both, when one is a copy of another', async () => {
    const { write, inspect } = world();
    const { directoryId } = await write('/one');
    await write('/three', { directoryId });
    await expect(inspect()).rejects.toThrow(`/one and /three have the same directory.id ${directoryId}`);
  });

  it('are refused when the cluster that the quorum named is another', async () => {
    const { write, settle, id } = world();
    await write('/two', { clusterId: id() });
    await expect(settle()).rejects.toThrow(/^\/two belongs to cluster/);
  });

  it('are used without one that holds partitions and does not say whose, which stays as it is', async () => {
    const { write, settle, files, meta } = world();
    await write('/one');
    await files.makeDirectory('/two/t-0');
    const [home, offline, added] = await settle();
    expect([home?.failure, added?.failure]).toEqual([undefined, undefined]);
    expect(offline).toMatchObject({
      path: '/two',
      failure: {
        message: expect.stringMatching(/^\/two holds t-0 but no meta.properties: restore the file/),
      },
    });
    expect(offline).not.toHaveProperty('id');
    expect(await meta('/two')).toBeUndefined();
  });

  it.each(['empty', 'cut off', 'of another version', 'with a turned bit'])(
    'are used without one whose meta.properties is %s: it says so, and the way out',
    async (how) => {
      const { write, settle, files } = world();
      const [one, two] = [await write('/one'), await write('/two')];
      const path = '/two/meta.properties';
      for (let bit = 0; bit < (how === 'with a turned bit' ? 8 * 20 : 1); bit++) {
        files.damage(path, (bytes) => {
          const text = Buffer.from(bytes).toString();
          if (how === 'empty') return Buffer.alloc(0);
          if (how === 'cut off') return Buffer.from(text.slice(0, 40));
          if (how === 'of another version') return Buffer.from(text.replace('version=1', 'version=2'));
          // In the ids, one after another.
          const at = text.indexOf('directory.id=') + 'directory.id='.length;
          const changed = Buffer.from(text);
          changed[at + (bit >> 3)] = (changed[at + (bit >> 3)] ?? 0) ^ (1 << (bit & 7));
          return changed;
        });
        const [home, offline, added] = await settle(one.directoryId);
        expect([home?.id, added?.failure]).toEqual([one.directoryId, undefined]);
        expect(offline).toMatchObject({
          path: '/two',
          failure: { message: expect.stringMatching(/^cannot understand .two.meta.properties: .*restore/) },
        });
        expect(offline).not.toHaveProperty('id');
        await write('/two', two);
      }
      expect((await settle(one.directoryId))[1]).toEqual({ path: '/two', id: two.directoryId });
    },
  );

  it('are not used when the meta.properties of the home cannot be understood, whatever the others say', async () => {
    const { write, inspect, files } = world();
    for (const path of PATHS) await write(path);
    files.damage('/one/meta.properties', () => Buffer.from('nonsense'));
    await expect(inspect()).rejects.toThrow(
      /^cannot understand \/one\/meta.properties: .*; restore the file/,
    );
  });

  it('are refused when a new one is another under a second name', async () => {
    const { write, inspect, settle, id } = world();
    await write('/one');
    const found = await inspect();
    // Formatted between the look and the use.
    const { directoryId } = await write('/three');
    await expect(settle(id(), found)).rejects.toThrow(
      `another of log.dirs and /three have the same directory.id ${directoryId}`,
    );
  });

  it('say which cluster the node is of, also when its home is new', async () => {
    const { write, inspect, clusterId } = world();
    expect(clusterOf(await inspect())).toBeUndefined();
    await write('/three');
    expect(clusterOf(await inspect())).toBe(clusterId);
  });

  it('become more: one that was added is formatted, and the others keep their ids', async () => {
    const { write, settle, meta, environment } = world();
    const [one, three] = [await write('/one'), await write('/three')];
    const [home, added, last] = await settle(one.directoryId);
    expect(home).toEqual({ path: '/one', id: one.directoryId });
    expect(last).toEqual({ path: '/three', id: three.directoryId });
    expect(await meta('/two')).toMatchObject({ directoryId: added?.id, nodeId: 1 });
    const said = environment.logger.lines.filter(
      ({ message }) => message === 'formatted a new data directory',
    );
    expect(said).toMatchObject([{ fields: { directory: '/two', directoryId: added?.id } }]);
  });

  it.each(['open', 'read'] as const)(
    'are used without one that fails to %s, which stays as it is',
    async (operation) => {
      const { write, settle, files } = world();
      const [one, two] = [await write('/one'), await write('/two')];
      files.failNext({ operation, path: '/two/meta.properties', reason: 'io-error' });
      const [, offline, added] = await settle(one.directoryId);
      expect(offline).toMatchObject({ path: '/two', failure: { reason: 'io-error' } });
      expect(offline).not.toHaveProperty('id');
      expect(added).toHaveProperty('id');
      expect((await settle(one.directoryId))[1]).toEqual({ path: '/two', id: two.directoryId });
    },
  );

  it('are used without a new one that cannot be formatted', async () => {
    const { write, settle, files } = world();
    const { directoryId } = await write('/one');
    files.failNext({ operation: 'write', path: '/three', reason: 'disk-full' });
    const [, added, offline] = await settle(directoryId);
    expect(added).toHaveProperty('id');
    expect(offline).toMatchObject({ path: '/three', failure: { reason: 'disk-full' } });
  });

  it('are not used without the home', async () => {
    const { write, inspect, files } = world();
    await write('/one');
    files.failNext({ operation: 'open', path: '/one', reason: 'io-error' });
    await expect(inspect()).rejects.toMatchObject({ reason: 'io-error' });
  });
});

describe('a home of its own, named by metadata.log.dir', () => {
  const HOME = 'metadata.log.dir=/home';

  it('holds no logs; all of log.dirs are alike, and the first may fail as well as any', async () => {
    const { format, settle, files } = world(HOME);
    const [home, ...formatted] = await format();
    expect([home?.path, ...formatted.map(({ path }) => path)]).toEqual(['/home', ...PATHS]);
    expect(await settle(home?.id)).toEqual(formatted);
    for (const path of PATHS) {
      files.failNext({ operation: 'open', path: `${path}/meta.properties`, reason: 'io-error' });
      const settled = await settle(home?.id);
      expect(settled.filter(({ failure }) => failure !== undefined).map((one) => one.path)).toEqual([path]);
    }
    files.damage('/one/meta.properties', () => Buffer.from('nonsense'));
    const [first, second] = await settle(home?.id);
    expect([first?.failure !== undefined, second?.failure]).toEqual([true, undefined]);
  });

  it('is what the node does not start without', async () => {
    const { format, inspect, files } = world(HOME);
    await format();
    files.failNext({ operation: 'open', path: '/home/meta.properties', reason: 'io-error' });
    await expect(inspect()).rejects.toMatchObject({ reason: 'io-error' });
    files.damage('/home/meta.properties', () => Buffer.from('nonsense'));
    await expect(inspect()).rejects.toThrow(/^cannot understand \/home\/meta.properties/);
  });

  it('may be any of log.dirs', async () => {
    const { format, settle } = world('metadata.log.dir=/two');
    const formatted = await format();
    expect(formatted.map(({ path }) => path)).toEqual(PATHS);
    expect(await settle(formatted[1]?.id)).toEqual(formatted);
  });

  it('is refused when another directory is of another node', async () => {
    const { write, inspect } = world(HOME);
    await write('/home');
    await write('/one', { nodeId: 2 });
    await expect(inspect()).rejects.toThrow(/^\/one belongs to node 2/);
  });
});
