import { CorruptionError } from '../../base/index.ts';
import { type Files, readWholeFile, replaceFile } from '../../env/index.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../checkpoint/checkpoint-file.ts';
import { EpochCache, type EpochEntry } from './epoch-cache.ts';

export const EPOCH_CHECKPOINT = 'leader-epoch-checkpoint';

/**
 * Keeps an epoch cache on disk: `<epoch> <start offset>` per line. Changes are made in memory at once;
 * `settled` resolves when the file holds all of them, and nothing of a new epoch may be acknowledged
 * before.
 *
 * While the log is cut, the file goes on to say what holds for the batches that are still in the files: who saves it
 * meanwhile, for another reason, must not take the epochs from batches that a crash would bring back.
 */
export class EpochCheckpoint {
  readonly cache: EpochCache;
  readonly #files: Files;
  readonly #directory: string;
  #saving: Promise<void> | undefined;
  #dirty = false;
  /** What is saved instead of the cache. */
  #held: readonly EpochEntry[] | undefined;

  constructor(files: Files, directory: string, cache: EpochCache) {
    this.#files = files;
    this.#directory = directory;
    this.cache = cache;
  }

  /** Throws CorruptionError when the file is not one of ours. */
  static async open(files: Files, directory: string): Promise<EpochCheckpoint> {
    const path = `${directory}/${EPOCH_CHECKPOINT}`;
    const bytes = await readWholeFile(files, path);
    const entries = bytes === undefined ? [] : decodeEpochEntries(bytes, path);
    return new EpochCheckpoint(files, directory, new EpochCache(entries));
  }

  /** The cache has changed. */
  touch(): void {
    this.#dirty = true;
  }

  /** The cache is about to forget epochs of batches that are in the files. */
  hold(): void {
    this.#held ??= [...this.cache.entries];
  }

  /** Those batches are gone, durably. */
  letGo(): void {
    this.#held = undefined;
    this.#dirty = true;
  }

  /** True while the file may lack a change. */
  get isDirty(): boolean {
    return this.#dirty || this.#saving !== undefined;
  }

  /** Rejects with the EnvironmentError of the write; undefined: nothing to wait for. */
  settled(): Promise<void> | undefined {
    if (!this.isDirty) return undefined;
    this.#saving ??= this.#save();
    return this.#saving;
  }

  async #save(): Promise<void> {
    try {
      while (this.#dirty) {
        this.#dirty = false;
        const entries = this.#held ?? this.cache.entries;
        const lines = entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`);
        await replaceFile(this.#files, `${this.#directory}/${EPOCH_CHECKPOINT}`, encodeCheckpoint(lines));
      }
    } finally {
      // In the same turn as the last look at `dirty`: a change after it begins a save of its own.
      this.#saving = undefined;
    }
  }
}

/** The entries of a file, growing. Throws CorruptionError; `path` is for its message. */
export function decodeEpochEntries(bytes: Buffer, path: string): EpochEntry[] {
  const entries: EpochEntry[] = [];
  for (const line of decodeCheckpoint(bytes, path)) {
    const [epoch = Number.NaN, startOffset = Number.NaN, ...rest] = line.split(' ').map(Number);
    const last = entries.at(-1);
    const grows = last === undefined || (epoch > last.epoch && startOffset > last.startOffset);
    if (rest.length > 0 || !Number.isSafeInteger(epoch) || !Number.isSafeInteger(startOffset) || !grows)
      throw new CorruptionError(path, 0, 'growing lines of epoch and start offset', JSON.stringify(line));
    entries.push({ epoch, startOffset });
  }
  return entries;
}
