/**
 * LevelDB behind the key-value port. It is not trusted: durable-quorum-store.ts and verify-log.ts check what it says.
 *
 * After the first failed batch every later one fails with the same error: LevelDB would say so too, but not for all
 * kinds of failure.
 */
import { Level } from 'level';
import { CorruptionError, EnvironmentError, type EnvironmentReason } from '../../base/index.ts';
import type {
  KeyRange,
  KeyValueEntry,
  KeyValueOperation,
  KeyValueStore,
  KeyValueStores,
} from '../../env/index.ts';

const BYTES = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;

/** Stores on the local disk. */
export function levelStores(): KeyValueStores {
  return {
    async open(directory) {
      const level = new Level<Uint8Array, Uint8Array>(directory, BYTES);
      try {
        await level.open();
      } catch (error) {
        throw toStoreError(error, directory);
      }
      return new LevelStore(directory, level);
    },
  };
}

class LevelStore implements KeyValueStore {
  readonly #directory: string;
  readonly #level: Level<Uint8Array, Uint8Array>;
  #failure: Error | undefined;

  constructor(directory: string, level: Level<Uint8Array, Uint8Array>) {
    this.#directory = directory;
    this.#level = level;
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#calling(() => this.#level.get(key));
  }

  async batch(operations: readonly KeyValueOperation[], options: { readonly sync: boolean }): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#calling(() =>
        this.#level.batch(operations.map(toLevelOperation), { ...BYTES, ...options }),
      );
    } catch (error) {
      this.#failure = error as Error;
      throw error;
    }
  }

  scan(range: KeyRange): Promise<KeyValueEntry[]> {
    return this.#calling(async () => {
      const iterator = this.#level.iterator({
        gte: range.from,
        lt: range.to,
        limit: range.limit,
        reverse: range.reverse ?? false,
      });
      const pairs = await iterator.all();
      return pairs.map(([key, value]) => ({ key, value }));
    });
  }

  close(): Promise<void> {
    return this.#calling(() => this.#level.close());
  }

  async #calling<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw toStoreError(error, this.#directory);
    }
  }
}

type LevelOperation = { type: 'put'; key: Uint8Array; value: Uint8Array } | { type: 'del'; key: Uint8Array };

function toLevelOperation(operation: KeyValueOperation): LevelOperation {
  return operation.kind === 'put'
    ? { type: 'put', key: operation.key, value: operation.value }
    : { type: 'del', key: operation.key };
}

/** Total: what LevelDB threw, as the port's error. Its own text is the only place that tells a full disk from a broken. */
function toStoreError(error: unknown, directory: string): Error {
  const codes: string[] = [];
  let text = '';
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at) codes.push(String(at.code));
    text = at.message;
  }
  // A file that a sound LevelDB refers to and that is gone is reported as an error of input and output.
  if (codes.includes('LEVEL_CORRUPTION') || /no such file/i.test(text))
    return new CorruptionError(directory, 0, 'a sound LevelDB', text);
  const [reason, why] = reasonOf(codes, text);
  return new EnvironmentError(reason, directory, `the key-value store in ${directory}: ${why}`, error);
}

function reasonOf(codes: readonly string[], text: string): [EnvironmentReason, string] {
  if (codes.includes('LEVEL_LOCKED')) return ['locked', 'another process has it open; stop that first'];
  if (/no space left|quota exceeded/i.test(text)) return ['disk-full', 'the disk is full'];
  if (/permission denied|read-only file system/i.test(text))
    return ['permission', 'this user may not do that'];
  if (/too many open files/i.test(text)) return ['too-many-open-files', 'too many files are open'];
  if (codes.includes('LEVEL_IO_ERROR')) return ['io-error', text];
  if (codes.includes('LEVEL_DATABASE_NOT_OPEN')) return ['closed', 'it is closed'];
  return ['other', text];
}
