import { CorruptionError, type Offset } from '../../base/index.ts';
import { type FileHandle, type Files, type Logger, readWholeFile, replaceFile } from '../../env/index.ts';
import type { Segment } from '../segment/segment.ts';
import type { SegmentList } from '../segment/segment-list.ts';
import { offsetName, parseLogFileName } from '../segment/segment-names.ts';
import { scanBatches } from '../segment/segment-scan.ts';
import { locateBatch } from '../segment/trusted-index.ts';
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts';
import { ProducerStates } from './producer-states.ts';

/** Offsets of the snapshots among the names of files of a log's directory, in their order. */
export function snapshotsAmong(names: readonly string[]): Offset[] {
  return names.flatMap((name) => {
    const parsed = parseLogFileName(name);
    return parsed?.suffix === 'snapshot' ? [parsed.offset] : [];
  });
}

export function snapshotPath(directory: string, offset: Offset): string {
  return `${directory}/${offsetName(offset)}.snapshot`;
}

/** Snapshots above `offset` describe a log that is no more. Their removal is durable with the next sync of the directory. */
export async function removeSnapshotsAbove(files: Files, directory: string, offset: Offset): Promise<void> {
  for (const snapshot of snapshotsAmong(await files.list(directory)))
    if (snapshot > offset) await files.remove(snapshotPath(directory, snapshot));
}

/**
 * At the opening of a log, which has these snapshots, ascending, and ends at `endOffset`: resolves with those that are
 * left. Each segment keeps the one at its base, for cuts; of those that clean stops left in between the newest serves.
 */
export async function tidySnapshots(
  segments: SegmentList,
  snapshots: readonly Offset[],
  endOffset: Offset,
): Promise<Offset[]> {
  const { files, directory } = segments;
  const bases = new Set(segments.all.map(({ baseOffset }) => baseOffset));
  const newest = snapshots.findLast((snapshot) => snapshot <= endOffset);
  const isKept = (snapshot: Offset): boolean => snapshot === newest || bases.has(snapshot);
  for (const snapshot of snapshots)
    if (!isKept(snapshot)) await files.remove(snapshotPath(directory, snapshot));
  // Other batches will take the place of those it speaks of: no crash may bring it back then.
  if (snapshots.some((snapshot) => snapshot > endOffset)) await files.syncDirectory(directory);
  return snapshots.filter(isKept);
}

/**
 * The newest good snapshot at or below `offset`; a damaged one is removed, for all can be found in the log
 * again.
 */
export async function loadSnapshot(
  files: Files,
  directory: string,
  offset: Offset,
  logger: Logger,
  listed?: readonly Offset[],
): Promise<{ states: ProducerStates; offset: Offset } | undefined> {
  const among = listed ?? snapshotsAmong(await files.list(directory));
  const snapshots = among.filter((snapshot) => snapshot <= offset);
  for (const snapshot of snapshots.reverse()) {
    const path = snapshotPath(directory, snapshot);
    const bytes = await readWholeFile(files, path);
    if (bytes === undefined) continue;
    try {
      return { states: decodeProducerSnapshot(bytes, path), offset: snapshot };
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      logger.warn({ path, error: error.message }, 'removed a damaged producer snapshot');
      await files.remove(path);
    }
  }
  return undefined;
}

/** Saves the states at `offset`, the end of the log, so that the next start need not replay. */
export async function saveSnapshot(
  files: Files,
  directory: string,
  offset: Offset,
  states: ProducerStates,
): Promise<void> {
  await replaceFile(files, `${directory}/${offsetName(offset)}.snapshot`, encodeProducerSnapshot(states));
}

/**
 * The producer states of a log that ends at `endOffset`: from the newest snapshot up to there, then from the headers of
 * the batches since, all of which must be in the files; what stands after them counts for nothing. `listed`: the snapshots
 * there are, ascending; looked for when absent.
 */
export async function rebuildProducers(
  segments: SegmentList,
  endOffset: Offset,
  logger: Logger,
  listed?: readonly Offset[],
): Promise<ProducerStates> {
  const snapshot = await loadSnapshot(segments.files, segments.directory, endOffset, logger, listed);
  const states = snapshot?.states ?? new ProducerStates();
  states.savedOffset = snapshot?.offset;
  const from = snapshot?.offset ?? 0;
  const { indexIntervalBytes } = segments.config;
  if (from >= endOffset) return states;
  for (let i = segments.indexOf(from); i < segments.all.length; i++) {
    const segment = segments.all[i] as Segment;
    if (segment.writtenBytes === 0 || segment.baseOffset >= endOffset) continue;
    await segments.use(segment, async (handle, index) =>
      replay(segment, handle, await locateBatch(segment, { handle, index }, from, indexIntervalBytes)),
    );
  }
  return states;

  async function replay(segment: Segment, handle: FileHandle, start: number): Promise<void> {
    const range = { start, end: segment.writtenBytes, minOffset: segment.baseOffset, verify: false };
    const end = await scanBatches(handle, range, (header) => {
      if (header.lastOffset >= endOffset) return false;
      if (header.baseOffset >= from) states.record(header);
      return true;
    });
    if (end.problem !== undefined)
      throw new CorruptionError(segment.logPath, end.position, 'a whole batch', end.problem);
  }
}
