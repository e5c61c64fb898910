import { beforeEach, expect, it } from 'vitest';
import { SeededRandom, StartupError } from '../../src/base/index.ts';
import {
  assertMetaProperties,
  parentDirectory,
  readMetaProperties,
  readWholeFile,
  writeMetaProperties,
} from '../../src/env/index.ts';
import { MemoryFiles } from '../../src/testing/twins/index.ts';

const OURS = { clusterId: 'MkU3OEVBNTcwNTJENDM2Qg', nodeId: 7, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' };
const OTHER = 'AAAAAAAAAAAAAAAAAAAAAg';
const DIRECTORY = '/data';

let files: MemoryFiles;
beforeEach(async () => {
  files = new MemoryFiles();
  await files.makeDirectory(DIRECTORY);
  await files.syncDirectory('/');
});

async function put(text: string): Promise<void> {
  const handle = await files.open('/data/meta.properties', 'create');
  await handle.truncate(0);
  await handle.write([Buffer.from(text)], 0);
  await handle.close();
}

it('a directory that was never formatted has none', async () => {
  expect(await readMetaProperties(files, DIRECTORY)).toBeUndefined();
});

it('what was written is read, also after a power failure', async () => {
  await writeMetaProperties(files, DIRECTORY, OURS);
  files.crash(new SeededRandom(1));
  expect(await readMetaProperties(files, DIRECTORY)).toEqual(OURS);
  await writeMetaProperties(files, DIRECTORY, { ...OURS, nodeId: 8 });
  expect((await readMetaProperties(files, DIRECTORY))?.nodeId).toBe(8);
});

it('a power failure while it is replaced leaves the old or the new', async () => {
  for (let seed = 0; seed < 50; seed++) {
    files = new MemoryFiles();
    await files.makeDirectory(DIRECTORY);
    await files.syncDirectory('/');
    await writeMetaProperties(files, DIRECTORY, OURS);
    void writeMetaProperties(files.forProcess(), DIRECTORY, { ...OURS, nodeId: 8 });
    for (let tick = 0; tick < seed; tick++) await undefined;
    files.crash(new SeededRandom(seed));
    expect([7, 8]).toContain((await readMetaProperties(files, DIRECTORY))?.nodeId);
  }
});

it("Kafka's own file is understood: comments, spaces, unknown keys, any order", async () => {
  await put(
    `#\n#Thu May 01 12:00:00 UTC 2025\nnode.id = 7\r\nversion=1\nfoo=bar\ndirectory.id=${OURS.directoryId}\ncluster.id=${OURS.clusterId}`,
  );
  expect(await readMetaProperties(files, DIRECTORY)).toEqual(OURS);
});

it.each([
  ['', 'no version'],
  ['version=0\ncluster.id=x\nnode.id=1\n', 'version 0'],
  ['version=1\ncluster.id=x\nnode.id=1\n', 'no directory.id'],
  [`version=1\ncluster.id=${OTHER}\nnode.id=-1\ndirectory.id=${OTHER}`, 'node.id is "-1"'],
  [`version=1\ncluster.id=${OTHER}\nnode.id=1\ndirectory.id=nope`, 'directory.id is "nope"'],
  ['x'.repeat(70_000), '70000 bytes'],
])('what cannot be understood is refused by name and with a way out (%#)', async (text, why) => {
  await put(text);
  const reading = readMetaProperties(files, DIRECTORY);
  await expect(reading).rejects.toBeInstanceOf(StartupError);
  await expect(reading).rejects.toThrow(why);
  await expect(reading).rejects.toThrow('move the data directory aside');
});

it('a directory of another cluster or node is refused with both names and the way out', () => {
  expect(() => assertMetaProperties(DIRECTORY, OURS, { nodeId: 7 })).not.toThrow();
  expect(() => assertMetaProperties(DIRECTORY, OURS, { clusterId: OURS.clusterId, nodeId: 7 })).not.toThrow();
  expect(() => assertMetaProperties(DIRECTORY, OURS, { clusterId: OTHER, nodeId: 7 })).toThrow(
    `/data belongs to cluster ${OURS.clusterId}, but this node is configured for cluster ${OTHER}; ` +
      `use another data directory, or set cluster.id=${OURS.clusterId}`,
  );
  expect(() => assertMetaProperties(DIRECTORY, OURS, { nodeId: 3 })).toThrow(
    '/data belongs to node 7, but this node is node 3; use another data directory, or set node.id=7',
  );
});

it.each([
  ['/a/b', '/a'],
  ['/a/b/', '/a'],
  ['/a', '/'],
  ['/', '/'],
  ['a/b', 'a'],
  ['a', '.'],
])('the parent of %s is %s', (path, parent) => {
  expect(parentDirectory(path)).toBe(parent);
});

it('a turned bit in any value is seen; a file without a checksum, or whose checksum was taken away, is read', async () => {
  await writeMetaProperties(files, DIRECTORY, OURS);
  const text = (await readWholeFile(files, '/data/meta.properties'))?.toString() ?? '';
  for (let bit = 0; bit < 8 * text.indexOf('crc32c'); bit++) {
    files.flipBit('/data/meta.properties', bit);
    const read = await readMetaProperties(files, DIRECTORY).catch((error: unknown) => error);
    if (!(read instanceof StartupError)) expect(read).toEqual(OURS);
    files.flipBit('/data/meta.properties', bit);
  }
  await put(text.replace('node.id=7', 'node.id=8'));
  await expect(readMetaProperties(files, DIRECTORY)).rejects.toThrow(
    /its crc32c is ".*", and .* would be right/,
  );
  await put(text.replace('node.id=7', 'node.id=8').replace(/crc32c=.*\n/, ''));
  expect(await readMetaProperties(files, DIRECTORY)).toEqual({ ...OURS, nodeId: 8 });
});
