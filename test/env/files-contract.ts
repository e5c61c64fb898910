import { beforeEach, expect, it } from 'vitest';
import type { FileHandle, Files } from '../../src/env/index.ts';

/** What every `Files` promises. `make` gives one and an empty directory in it. */
export function filesContract(make: () => Promise<{ files: Files; directory: string }>): void {
  let files: Files;
  let root: string;
  beforeEach(async () => {
    ({ files, directory: root } = await make());
  });

  const readAll = async (handle: FileHandle): Promise<string> => {
    const bytes = Buffer.alloc((await handle.sizeBytes()) + 10);
    return bytes.toString('utf8', 0, await handle.read(bytes, 0));
  };
  const put = async (path: string, text: string): Promise<void> => {
    const handle = await files.open(path, 'create');
    await handle.write([Buffer.from(text)], 0);
    await handle.close();
  };
  const get = async (path: string): Promise<string> => {
    const handle = await files.open(path, 'read');
    const text = await readAll(handle);
    await handle.close();
    return text;
  };

  it('buffers of one write lie one after another; empty ones change nothing', async () => {
    const handle = await files.open(`${root}/a`, 'create-new');
    await handle.write([Buffer.from('one '), Buffer.alloc(0), Buffer.from('two')], 0);
    await handle.write([], 3);
    expect(await readAll(handle)).toBe('one two');
    await handle.write([Buffer.from('TWO!')], 4);
    expect(await readAll(handle)).toBe('one TWO!');
    await handle.close();
  });

  it('a write of thousands of buffers arrives whole', async () => {
    const handle = await files.open(`${root}/a`, 'create');
    const buffers = Array.from({ length: 3000 }, (_, i) => Buffer.from(String(i % 10)));
    await handle.write(buffers, 2);
    expect(await handle.sizeBytes()).toBe(3002);
    expect((await readAll(handle)).slice(2)).toBe(buffers.join(''));
    await handle.close();
  });

  it('a read stops at the end of the file and says how much it read', async () => {
    await put(`${root}/a`, 'abc');
    const handle = await files.open(`${root}/a`, 'read');
    const buffer = Buffer.alloc(10);
    expect(await handle.read(buffer, 1)).toBe(2);
    expect(buffer.toString('utf8', 0, 2)).toBe('bc');
    expect(await handle.read(buffer, 3)).toBe(0);
    expect(await handle.read(buffer, 99)).toBe(0);
    await handle.close();
  });

  it('a gap that was never written reads as zeros', async () => {
    const handle = await files.open(`${root}/a`, 'create');
    await handle.write([Buffer.from('x')], 3);
    expect(await readAll(handle)).toBe('\0\0\0x');
    await handle.close();
  });

  it('truncate cuts, and lengthens with zeros', async () => {
    await put(`${root}/a`, 'abcdef');
    const handle = await files.open(`${root}/a`, 'write');
    await handle.truncate(2);
    expect(await readAll(handle)).toBe('ab');
    await handle.truncate(4);
    expect(await readAll(handle)).toBe('ab\0\0');
    await handle.sync();
    await handle.close();
  });

  it('the caller may change a buffer once its write has resolved', async () => {
    const handle = await files.open(`${root}/a`, 'create');
    const buffer = Buffer.from('first');
    await handle.write([buffer], 0);
    buffer.fill(0);
    expect(await readAll(handle)).toBe('first');
    await handle.close();
  });

  it('read and write need the file, create-new needs its absence, create takes both', async () => {
    await expect(files.open(`${root}/a`, 'read')).rejects.toMatchObject({ reason: 'not-found' });
    await expect(files.open(`${root}/a`, 'write')).rejects.toMatchObject({ reason: 'not-found' });
    await put(`${root}/a`, 'kept');
    await expect(files.open(`${root}/a`, 'create-new')).rejects.toMatchObject({ reason: 'already-exists' });
    const handle = await files.open(`${root}/a`, 'create');
    expect(await readAll(handle)).toBe('kept');
    await handle.close();
    await expect(files.open(`${root}/none/a`, 'create')).rejects.toMatchObject({ reason: 'not-found' });
  });

  it('an error names what was tried and where', async () => {
    await expect(files.open(`${root}/a`, 'read')).rejects.toMatchObject({
      name: 'EnvironmentError',
      subject: `${root}/a`,
      message: expect.stringContaining(`${root}/a`),
    });
  });

  it('a closed handle refuses, and closes twice', async () => {
    const handle = await files.open(`${root}/a`, 'create');
    await handle.close();
    await handle.close();
    await expect(handle.write([Buffer.from('x')], 0)).rejects.toMatchObject({ reason: 'closed' });
    await expect(handle.read(Buffer.alloc(1), 0)).rejects.toMatchObject({ reason: 'closed' });
    await expect(handle.sync()).rejects.toMatchObject({ reason: 'closed' });
  });

  it('list gives names, sorted; directories are made with their parents and may exist', async () => {
    await files.makeDirectory(`${root}/d/e`);
    await files.makeDirectory(`${root}/d/e`);
    await put(`${root}/d/z`, '');
    await put(`${root}/d/10`, '');
    await put(`${root}/d/9`, '');
    expect(await files.list(`${root}/d`)).toEqual(['10', '9', 'e', 'z']);
    expect(await files.list(`${root}/d/e`)).toEqual([]);
    await expect(files.list(`${root}/none`)).rejects.toMatchObject({ reason: 'not-found' });
  });

  it('stat tells files from directories from nothing', async () => {
    await files.makeDirectory(`${root}/d`);
    await put(`${root}/a`, '12345');
    expect(await files.stat(`${root}/a`)).toEqual({ kind: 'file', sizeBytes: 5 });
    expect(await files.stat(`${root}/d`)).toMatchObject({ kind: 'directory' });
    expect(await files.stat(`${root}/none`)).toBeUndefined();
    expect(await files.stat(`${root}/none/deeper`)).toBeUndefined();
  });

  it('rename replaces a file and moves a directory with what is in it', async () => {
    await put(`${root}/a`, 'new');
    await put(`${root}/b`, 'old');
    await files.rename(`${root}/a`, `${root}/b`);
    expect(await get(`${root}/b`)).toBe('new');
    expect(await files.stat(`${root}/a`)).toBeUndefined();
    await files.makeDirectory(`${root}/d/e`);
    await put(`${root}/d/e/f`, 'deep');
    await files.rename(`${root}/d`, `${root}/moved`);
    expect(await get(`${root}/moved/e/f`)).toBe('deep');
    expect(await files.stat(`${root}/d`)).toBeUndefined();
    await expect(files.rename(`${root}/none`, `${root}/x`)).rejects.toMatchObject({ reason: 'not-found' });
  });

  it('remove and removeDirectory accept what is missing', async () => {
    await put(`${root}/a`, '');
    await files.remove(`${root}/a`);
    await files.remove(`${root}/a`);
    await files.makeDirectory(`${root}/d/e`);
    await put(`${root}/d/e/f`, '');
    await files.removeDirectory(`${root}/d`);
    await files.removeDirectory(`${root}/d`);
    expect(await files.list(root)).toEqual([]);
  });

  it('a removed file stays usable through an open handle', async () => {
    await put(`${root}/a`, 'still here');
    const handle = await files.open(`${root}/a`, 'read');
    await files.remove(`${root}/a`);
    expect(await readAll(handle)).toBe('still here');
    await handle.close();
  });

  it('sync and syncDirectory resolve; syncDirectory needs the directory', async () => {
    const handle = await files.open(`${root}/a`, 'create');
    await handle.write([Buffer.from('x')], 0);
    expect(await handle.sync()).toBeUndefined();
    expect(await files.syncDirectory(root)).toBeUndefined();
    await expect(files.syncDirectory(`${root}/none`)).rejects.toMatchObject({ reason: 'not-found' });
    await handle.close();
  });

  it('a lock has one holder, names itself when refused, and can be had again once released', async () => {
    const lock = await files.lock(`${root}/.lock`);
    await expect(files.lock(`${root}/.lock`)).rejects.toMatchObject({
      reason: 'locked',
      message: expect.stringContaining('process'),
    });
    const other = await files.lock(`${root}/.other`);
    await other.release();
    await lock.release();
    await lock.release();
    const again = await files.lock(`${root}/.lock`);
    await again.release();
    await expect(files.lock(`${root}/none/.lock`)).rejects.toMatchObject({ reason: 'not-found' });
  });
}
