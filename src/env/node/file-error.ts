import { EnvironmentError, type EnvironmentReason } from '../../base/index.ts';

const REASONS: Readonly<Record<string, EnvironmentReason>> = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-found',
  EEXIST: 'already-exists',
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EIO: 'io-error',
  EACCES: 'permission',
  EPERM: 'permission',
  EROFS: 'permission',
  EMFILE: 'too-many-open-files',
  ENFILE: 'too-many-open-files',
  EBADF: 'closed',
};

const WORDS: Readonly<Partial<Record<EnvironmentReason, string>>> = {
  'disk-full': 'the disk is full',
  'io-error': 'the disk failed',
  'not-found': 'there is no such file or directory',
  'already-exists': 'it exists already',
  permission: 'this user may not do that',
  'too-many-open-files': 'too many files are open (see ulimit -n)',
  closed: 'the file is closed',
};

/** Total: what a call to the file system threw, as the port's error. `action` is a verb: "cannot <action> <path>". */
export function toFileError(error: unknown, action: string, path: string): EnvironmentError {
  if (error instanceof EnvironmentError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = REASONS[code] ?? 'other';
  const why = WORDS[reason] ?? (error instanceof Error ? error.message : String(error));
  return new EnvironmentError(reason, path, `cannot ${action} ${path}: ${why}`, error);
}
