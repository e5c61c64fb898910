import { describe, expect, it } from 'vitest';
import { randomUuid } from '../../src/base/index.ts';
import { readMetaProperties, writeMetaProperties } from '../../src/env/index.ts';
import type { Transport } from '../../src/rpc/api/index.ts';
import { nodeConfigFrom } from '../../src/server/config/node-config.ts';
import { valuesFromArguments } from '../../src/server/config/sources.ts';
import { inspectDirectories } from '../../src/server/data-directories.ts';
import { formatStorage, openStorage } from '../../src/server/storage.ts';
import { createTestEnvironment } from '../../src/testing/twins/index.ts';

/** Nobody is asked for anything. */
const NOBODY = {} as Transport;

function world(...settings: string[]) {
  let environment = createTestEnvironment({ seed: 1 });
  const clusterId = randomUuid(environment.random);
  const config = nodeConfigFrom(
    valuesFromArguments([
      'process.roles=broker',
      'node.id=1',
      'controller.quorum.voters=101@127.0.0.1:9193',
      'listeners=CLIENT://127.0.0.1:9092,REPLICA://127.0.0.1:9192',
      'log.dirs=/one,/two',
      `cluster.id=${clusterId}`,
      ...settings,
    ]),
  );
  const id = () => randomUuid(environment.random);
  return {
    config,
    clusterId,
    id,
    files: () => environment.files,
    meta: (path = config.homeDirectory) => readMetaProperties(environment.files, path),
    kill: () => {
      environment = environment.kill();
    },
    format: () => formatStorage(config, environment, { clusterId, directoryId: id(), voters: [] }),
    async open() {
      const found = await inspectDirectories(config, environment.files);
      return openStorage(config, environment, NOBODY, found);
    },
  };
}

describe('the home of a broker', () => {
  it.each(['/one', '/two', '/apart'])(
    'in %s is formatted at the first start, and opened at the next',
    async (home) => {
      const { open, meta, clusterId } = world(`metadata.log.dir=${home}`);
      const first = await open();
      expect(await meta(home)).toEqual({ clusterId, nodeId: 1, directoryId: first.directoryId });
      await first.store.close();
      const again = await open();
      expect(again).toMatchObject({ clusterId, directoryId: first.directoryId });
    },
  );

  it.each(['stat', 'make-directory', 'open', 'write', 'sync', 'rename', 'sync-directory'] as const)(
    'is whole after the start that follows one that was cut off at any %s of it',
    async (operation) => {
      let cut = 0;
      for (let after = 0; ; after++) {
        const { open, kill, files, meta } = world();
        await files().makeDirectory('/one');
        files().failNext({ operation, path: '/one', reason: 'io-error', after });
        const ended = await open().catch((error: unknown) => error);
        if (!(ended instanceof Error)) break;
        cut += 1;
        kill();
        const opened = await open();
        expect(await meta()).toMatchObject({ directoryId: opened.directoryId });
        expect(opened.store.identity.directoryId).toBe(opened.directoryId);
      }
      expect(cut).toBeGreaterThan(0);
    },
  );

  it('is refused when its metadata log is of another directory id: one of the two is not what it was', async () => {
    const { format, open, files, id, clusterId, meta } = world();
    await format();
    const before = await meta();
    await writeMetaProperties(files(), '/one', { clusterId, nodeId: 1, directoryId: id() });
    await expect(open()).rejects.toThrow(
      `but the metadata log beside it of node 1 with ${before?.directoryId}`,
    );
    await writeMetaProperties(files(), '/one', {
      clusterId,
      nodeId: 1,
      directoryId: before?.directoryId ?? '',
    });
    await (await open()).store.close();
  });

  it('is refused when it is formatted and its metadata log is gone', async () => {
    const { format, open, files } = world();
    await format();
    await files().removeDirectory('/one/__cluster_metadata-0');
    await expect(open()).rejects.toThrow(/__cluster_metadata-0 is missing although \/one is formatted/);
  });
});
