/**
 * The file system, as far as a log needs it. Paths use '/' and are absolute or relative to nothing in particular.
 *
 * Durability: what was written is lost in a power failure until `sync` of that file has resolved; a file that was
 * created, renamed or removed may be so again until `syncDirectory` of its directory has resolved. After a `sync`
 * failed, the handle must not be used again: what is on disk is unknown (PostgreSQL's fsync lesson, 2018).
 *
 * Errors: every method rejects with EnvironmentError ('disk-full', 'io-error', 'not-found', 'already-exists', 'locked',
 * 'permission', 'too-many-open-files', 'closed').
 */
export interface Files {
  /**
   * `read`: must exist. `write`: must exist, read and written. `create`: made when missing, read and written.
   * `create-new`: must not exist, else 'already-exists'.
   */
  open(path: string, mode: FileMode): Promise<FileHandle>;
  /** Names (not paths) in the directory, sorted, without '.' and '..'. 'not-found' when there is none. */
  list(directory: string): Promise<string[]>;
  /** What is at `path`, or undefined when nothing is. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Makes the directory and its missing parents; an existing one is fine. */
  makeDirectory(path: string): Promise<void>;
  /** Atomic; replaces an existing file at `to`. Also renames directories. */
  rename(from: string, to: string): Promise<void>;
  /** Removes the file; a missing one is fine. */
  remove(path: string): Promise<void>;
  /** Removes the directory and everything in it; a missing one is fine. */
  removeDirectory(path: string): Promise<void>;
  /** Makes creations, renames and removals in `directory` durable. */
  syncDirectory(directory: string): Promise<void>;
  /** Holds the file at `path` exclusively until released or the process dies; 'locked' when another holds it. */
  lock(path: string): Promise<FileLock>;
}

export type FileMode = 'read' | 'write' | 'create' | 'create-new';

export interface FileStat {
  readonly kind: 'file' | 'directory';
  readonly sizeBytes: number;
}

export interface FileLock {
  release(): Promise<void>;
}

export interface FileHandle {
  readonly path: string;
  /** Writes all buffers, one after another, at `position`, in one call to the system where it can. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  /** Fills `buffer` from `position`; resolves with the bytes read, less than asked only at the end of the file. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  truncate(sizeBytes: number): Promise<void>;
  /** Makes all writes that were resolved before this call durable (fdatasync). */
  sync(): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}
