/**
 * How the files of some neighbouring segments give way to one that holds what is left of them.
 *
 *   base.log.cleaned   being written; worth nothing after a crash
 *   base.log.swap      whole and durable; after a crash the change is finished from it
 *
 * Steps, each durable before the next: the cleaned file takes the name of a swap file, which decides the matter; the
 * segments it replaces but the first go, and the indexes of the first; the swap file takes the name of the first. A
 * swap file says by itself what it replaces: all segments that begin within its offsets, for the last batch of a group is
 * always kept. Source: Kafka's LocalLog.replaceSegments and LogLoader.
 */
import { CorruptionError, type Offset } from '../../base/index.ts';
import type { Files } from '../../env/index.ts';
import { offsetName, parseLogFileName } from '../segment/segment-names.ts';
import { scanBatches } from '../segment/segment-scan.ts';

const CLEANED = '.cleaned';
const SWAP = '.swap';

export function cleanedPath(directory: string, baseOffset: Offset): string {
  return `${directory}/${offsetName(baseOffset)}.log${CLEANED}`;
}

function swapPath(directory: string, baseOffset: Offset): string {
  return `${directory}/${offsetName(baseOffset)}.log${SWAP}`;
}

/** Once it has resolved the change will be made, whatever happens. A disk that is full leaves everything as it was. */
export function decideSwap(files: Files, directory: string, baseOffset: Offset): Promise<void> {
  return files.rename(cleanedPath(directory, baseOffset), swapPath(directory, baseOffset));
}

/**
 * Puts the decided file in the place of the segments at `baseOffset` and `absorbed`, which nobody may have open.
 * `saveIndex` writes the indexes of the new one, when they are known. May be repeated after a crash at any point.
 */
export async function finishSwap(
  files: Files,
  directory: string,
  baseOffset: Offset,
  absorbed: readonly Offset[],
  saveIndex?: () => Promise<unknown>,
): Promise<void> {
  await files.syncDirectory(directory);
  for (const base of absorbed)
    for (const suffix of ['log', 'index', 'timeindex', 'snapshot'])
      await files.remove(`${directory}/${offsetName(base)}.${suffix}`);
  const path = `${directory}/${offsetName(baseOffset)}`;
  await files.remove(`${path}.index`);
  await files.remove(`${path}.timeindex`);
  await saveIndex?.();
  await files.syncDirectory(directory);
  await files.rename(swapPath(directory, baseOffset), `${path}.log`);
  await files.syncDirectory(directory);
}

/**
 * At the opening of a log, before its segments are looked for: finishes what was decided and removes what was not, among
 * the files of these `names`, which are durable. Resolves with the names of the files there are then. Throws
 * CorruptionError when a swap file, which was durable, is not whole.
 */
export async function recoverSwaps(
  files: Files,
  directory: string,
  names: readonly string[],
): Promise<readonly string[]> {
  if (!names.some((one) => one.endsWith(CLEANED) || one.endsWith(SWAP))) return names;
  for (const name of names.filter((one) => one.endsWith(`.log${CLEANED}`)))
    await files.remove(`${directory}/${name}`);
  for (const name of names.filter((one) => one.endsWith(`.log${SWAP}`))) {
    const base = parseLogFileName(name.slice(0, -SWAP.length))?.offset;
    if (base === undefined) continue;
    const end = await endOfSwap(files, directory, base);
    // An offset that the disk has changed since would take others with it.
    if (!names.includes(`${offsetName(end)}.log`))
      throw new CorruptionError(
        swapPath(directory, base),
        0,
        'an end where a segment begins',
        `offset ${end}`,
      );
    // By any file of theirs: the segments may be gone, and their indexes not yet.
    const offsets = names.flatMap((one) => parseLogFileName(one)?.offset ?? []);
    const absorbed = new Set(offsets.filter((offset) => offset > base && offset < end));
    await finishSwap(files, directory, base, [...absorbed]);
  }
  return files.list(directory);
}

async function endOfSwap(files: Files, directory: string, base: Offset): Promise<Offset> {
  const path = swapPath(directory, base);
  const handle = await files.open(path, 'read');
  try {
    const range = { start: 0, end: await handle.sizeBytes(), minOffset: base, verify: true };
    const end = await scanBatches(handle, range, () => true);
    if (end.problem === undefined && end.position > 0) return end.nextOffset;
    throw new CorruptionError(path, end.position, 'a whole batch', end.problem ?? 'an empty file');
  } finally {
    await handle.close();
  }
}
