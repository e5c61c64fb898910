import { EnvironmentError, StartupError } from '../../base/index.ts';
import type { Files } from '../../env/index.ts';
import { findLogFileKind, type LogFileKind } from './file-kinds.ts';

/** A directory of nodes, of which each has partitions, of which each has files. */
const DEPTH_MAX = 3;
/** LevelDB's, and of the quorum: not files of a log. */
const METADATA_LOG = '__cluster_metadata-0';
/** What is being written to replace a file, or was left behind by it: nobody reads it. */
const UNFINISHED = /\.(tmp|cleaned)$/;

/**
 * `path` itself when it is a file of a log by its name, or all such files below it, sorted by directory and name.
 * Throws StartupError when there is nothing, when the file is of another kind, or when the directory holds none.
 */
export async function findLogFiles(files: Files, path: string): Promise<string[]> {
  const stat = await files.stat(path);
  if (stat === undefined) throw new StartupError(`there is no file or directory ${path}`);
  if (stat.kind === 'file') {
    if (findLogFileKind(path) === undefined)
      throw new StartupError(
        `${path} is not a file of a log by its name: .log, .index, .timeindex, .snapshot, ` +
          'a checkpoint, partition.metadata, meta.properties or .kafka_cleanshutdown',
      );
    return [path];
  }
  const found = await findBelow(files, path.replace(/(?<=.)\/+$/, ''), DEPTH_MAX);
  if (found.length === 0) throw new StartupError(`${path} holds no files of a log`);
  return found;
}

async function findBelow(files: Files, directory: string, depth: number): Promise<string[]> {
  const found: string[] = [];
  const directories: string[] = [];
  for (const name of await listOrNothing(files, directory)) {
    const path = `${directory}/${name}`;
    if (findLogFileKind(name) !== undefined && !UNFINISHED.test(name)) found.push(path);
    else if (name !== METADATA_LOG && (await files.stat(path))?.kind === 'directory') directories.push(path);
  }
  if (depth > 1) for (const path of directories) found.push(...(await findBelow(files, path, depth - 1)));
  return found;
}

/** A partition that is deleted meanwhile holds nothing. */
export async function listOrNothing(files: Files, directory: string): Promise<string[]> {
  try {
    return await files.list(directory);
  } catch (error) {
    if (error instanceof EnvironmentError && error.reason === 'not-found') return [];
    throw error;
  }
}

const SEGMENT_KINDS: ReadonlySet<LogFileKind> = new Set(['segment', 'offset-index', 'time-index']);

/** The `.log` files that belong to `paths`, each once: those of a segment or its indexes; others have none. */
export function segmentsOf(paths: Iterable<string>): string[] {
  const segments = new Set<string>();
  for (const path of paths) {
    const kind = findLogFileKind(path)?.kind;
    if (kind !== undefined && SEGMENT_KINDS.has(kind)) segments.add(siblingOf(path, 'log'));
  }
  return [...segments];
}

/** The file of the same segment with another suffix, on its way out as well when `path` is. */
export function siblingOf(path: string, suffix: 'log' | 'index' | 'timeindex'): string {
  return path.replace(/\.(log|index|timeindex)((\.[a-z]+)*)$/, `.${suffix}$2`);
}
