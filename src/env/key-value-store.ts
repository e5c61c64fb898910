/**
 * An ordered map of bytes to bytes on disk; keys are compared byte by byte.
 *
 * A batch is applied whole or not at all while the process lives. With `sync` it is asked to be durable when the promise
 * resolves; whether the store keeps that promise after damage is the caller's to verify (see raft/store).
 * Errors: EnvironmentError; after a failed `batch` with sync nothing is known about what is stored.
 */
export interface KeyValueStore {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  batch(operations: readonly KeyValueOperation[], options: { readonly sync: boolean }): Promise<void>;
  /** Entries with `from` <= key < `to`, ascending (descending with `reverse`), at most `limit`. */
  scan(range: KeyRange): Promise<KeyValueEntry[]>;
  close(): Promise<void>;
}

export interface KeyValueStores {
  /** Opens the store in `directory`, making it when missing. 'locked' when another process has it open. */
  open(directory: string): Promise<KeyValueStore>;
}

export type KeyValueOperation =
  | { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: Uint8Array };

export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly limit: number;
  readonly reverse?: boolean;
}

export interface KeyValueEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}
