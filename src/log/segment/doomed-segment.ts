/**
 * The files of a segment that has left its log: `.deleted` is added to their names, durably, and later they go. The log
 * file is renamed first: a crash in between leaves indexes without a log, which nobody looks at, never a log that is
 * taken for whole without them. Source: Kafka's LogSegment.changeFileSuffixes.
 */
import { EnvironmentError } from '../../base/index.ts';
import type { Files } from '../../env/index.ts';
import type { Doomed } from './delayed-removals.ts';
import type { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import { parseLogFileName } from './segment-names.ts';

const DELETED_SUFFIX = '.deleted';
/** A file that never got its name. */
const UNFINISHED = /^\d{20}\.[a-z]+\.tmp$/;
const FILES_OF_SEGMENT = ['log', 'index', 'timeindex', 'snapshot'];

/**
 * Renames the files of `segment`, durably; `letGo` is called before they are closed and removed. When that fails they are
 * closed, for nobody else has the segment: the next start finds those that have the new name.
 */
export async function doomSegment(
  { files, directory, pool }: SegmentList,
  segment: Segment,
  letGo: () => void,
): Promise<Doomed> {
  const close = async (): Promise<void> => {
    letGo();
    pool.forget(segment);
    await segment.close();
  };
  try {
    for (const suffix of FILES_OF_SEGMENT) await renameIfThere(files, `${segment.path}.${suffix}`);
    await files.syncDirectory(directory);
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
  return {
    path: segment.path,
    close,
    async remove() {
      await close();
      for (const suffix of FILES_OF_SEGMENT) await files.remove(`${segment.path}.${suffix}${DELETED_SUFFIX}`);
    },
  };
}

async function renameIfThere(files: Files, path: string): Promise<void> {
  try {
    await files.rename(path, `${path}${DELETED_SUFFIX}`);
  } catch (error) {
    if (!(error instanceof EnvironmentError) || error.reason !== 'not-found') throw error;
  }
}

/**
 * At the opening of a log, which holds files of these names: removes what was to be removed or never finished, and indexes
 * whose log file is gone. Resolves with the names that are left, in their order.
 */
export async function removeLeftovers(
  files: Files,
  directory: string,
  names: readonly string[],
): Promise<string[]> {
  const all = new Set(names);
  const left: string[] = [];
  for (const name of names) {
    const suffix = parseLogFileName(name)?.suffix ?? '';
    const isOrphan = suffix.endsWith('index') && !all.has(name.replace(suffix, 'log'));
    if (isOrphan || name.endsWith(DELETED_SUFFIX) || UNFINISHED.test(name))
      await files.remove(`${directory}/${name}`);
    else left.push(name);
  }
  return left;
}
