import { afterEach, beforeEach, expect, it } from 'vitest';
import type { KeyValueOperation, KeyValueStore, KeyValueStores } from '../../src/env/index.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const text = (value: Uint8Array): string => Buffer.from(value).toString('latin1');
const put = (key: string, value: string): KeyValueOperation => ({
  kind: 'put',
  key: bytes(key),
  value: bytes(value),
});
const del = (key: string): KeyValueOperation => ({ kind: 'delete', key: bytes(key) });
const SYNC = { sync: true };

/** What every `KeyValueStores` promises while nothing is damaged. `make` gives one and a directory not used yet. */
export function keyValueStoreContract(
  make: () => Promise<{ stores: KeyValueStores; directory: string }>,
): void {
  let stores: KeyValueStores;
  let directory: string;
  let store: KeyValueStore;
  beforeEach(async () => {
    ({ stores, directory } = await make());
    store = await stores.open(directory);
  });
  afterEach(() => store.close());

  const scan = async (from: string, to: string, limit = 100, reverse = false): Promise<string[]> => {
    const found = await store.scan({ from: bytes(from), to: bytes(to), limit, reverse });
    return found.map(({ key, value }) => `${text(key)}=${text(value)}`);
  };

  it('a key that was never put is undefined', async () => {
    expect(await store.get(bytes('a'))).toBeUndefined();
    expect(await scan('\0', '\xff')).toEqual([]);
  });

  it('operations of a batch take effect in their order', async () => {
    await store.batch([put('a', '1'), put('b', '1'), put('a', '2'), del('b'), del('none')], SYNC);
    expect(await scan('a', 'z')).toEqual(['a=2']);
    await store.batch([del('a'), put('a', '3')], { sync: false });
    expect(await scan('a', 'z')).toEqual(['a=3']);
    await store.batch([], SYNC);
    expect(text((await store.get(bytes('a')))!)).toBe('3');
  });

  it('empty values and any byte in a key are kept', async () => {
    await store.batch([put('\0\xff\x80', ''), put('k', '\0\xff\x80')], SYNC);
    expect(text((await store.get(bytes('\0\xff\x80')))!)).toBe('');
    expect(text((await store.get(bytes('k')))!)).toBe('\0\xff\x80');
  });

  it('keys are ordered byte by byte, unsigned, shorter first', async () => {
    await store.batch([put('\xff', ''), put('b', ''), put('\x7f', ''), put('a\0', ''), put('a', '')], SYNC);
    expect(await scan('\0', '\xff\xff')).toEqual(['a=', 'a\0=', 'b=', '\x7f=', '\xff=']);
  });

  it('a scan takes its lower bound in and its upper bound out, either way round, up to its limit', async () => {
    await store.batch(
      [...'abcdef'].map((key) => put(key, key)),
      SYNC,
    );
    expect(await scan('b', 'e')).toEqual(['b=b', 'c=c', 'd=d']);
    expect(await scan('b', 'e', 2)).toEqual(['b=b', 'c=c']);
    expect(await scan('b', 'e', 2, true)).toEqual(['d=d', 'c=c']);
    expect(await scan('b', 'b')).toEqual([]);
    expect(await scan('aa', 'bb')).toEqual(['b=b']);
  });

  it('what is given back and what was given belong to the caller', async () => {
    const operation = { kind: 'put' as const, key: bytes('a'), value: Buffer.from('one') };
    await store.batch([operation], SYNC);
    operation.value.fill(0);
    (await store.get(bytes('a')))!.fill(0);
    expect(await scan('a', 'b')).toEqual(['a=one']);
  });

  it('batches that overlap in time are applied in order', async () => {
    await Promise.all([...'123456789'].map((value) => store.batch([put('a', value)], SYNC)));
    expect(await scan('a', 'b')).toEqual(['a=9']);
  });

  it('what was put is there after closing and opening again', async () => {
    await store.batch([put('a', '1'), put('b', '2')], SYNC);
    await store.batch([del('a'), put('c', '3')], { sync: false });
    await store.close();
    store = await stores.open(directory);
    expect(await scan('a', 'z')).toEqual(['b=2', 'c=3']);
  });

  it('an open store is locked, a closed one refuses', async () => {
    await expect(stores.open(directory)).rejects.toMatchObject({ reason: 'locked', subject: directory });
    await store.close();
    await expect(store.get(bytes('a'))).rejects.toMatchObject({ reason: 'closed' });
    await expect(store.batch([put('a', '')], SYNC)).rejects.toMatchObject({ reason: 'closed' });
    store = await stores.open(directory);
  });
}
