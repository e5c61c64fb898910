import { describe, expect, it } from 'vitest';
import { randomUuid } from '../../src/base/index.ts';
import { type MetaProperties, readMetaProperties, writeMetaProperties } from '../../src/env/index.ts';
import { nodeConfigFrom } from '../../src/server/config/node-config.ts';
import { valuesFromArguments } from '../../src/server/config/sources.ts';
import { clusterOf, inspectDirectories, settleDirectories } from '../../src/server/data-directories.ts';
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
    async settle(homeId = randomUuid(random)) {
      return settleDirectories(await inspect(), { homeId, clusterId, nodeId: 1 }, environment);
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

  it('are refused when one holds partitions and does not say whose', async () => {
    const { write, settle, files } = world();
    await write('/one');
    await files.makeDirectory('/two/t-0');
    await expect(settle()).rejects.toThrow(/^\/two holds t-0 but no meta.properties/);
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
