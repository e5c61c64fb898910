/**
 * How a log gives way to an empty one that begins at another offset.
 *
 *   <offset>.restart   the producer snapshot with which the log is to begin there
 *
 * Whole and durable before the first segment goes, removed durably when files and checkpoints say the same: a crash in
 * between finishes what was begun. Without such a file, a log that ends below the start that was saved for it has lost
 * what nobody had made durable, and goes on at that start: its readers have seen the offsets below it go, and none of them
 * may stand for another record. The segments alone would not tell the two apart.
 * Source: Kafka's UnifiedLog.truncateFullyAndStartAt and LogLoader.
 */
import type { Offset } from '../../base/index.ts';
import { type Files, readWholeFile, replaceFile } from '../../env/index.ts';
import { removeSnapshotsAbove } from '../producer/producer-replay.ts';
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../producer/producer-snapshot.ts';
import type { ProducerStates } from '../producer/producer-states.ts';
import { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import { offsetName } from './segment-names.ts';

const NAME = /^(\d{20})\.restart$/;

/** Once it has resolved the log will be empty and begin at `offset`, with what is known of `producers`. */
export function decideRestart(
  { files, directory }: SegmentList,
  offset: Offset,
  producers: ProducerStates,
): Promise<void> {
  return replaceFile(files, restartPath(directory, offset), encodeProducerSnapshot(producers));
}

/** One new segment at `offset` in the place of all there are; none of its files is in use. May be repeated after a crash. */
export async function beginAnew(
  segments: SegmentList,
  offset: Offset,
  producers: ProducerStates,
): Promise<void> {
  const { files, directory } = segments;
  while (segments.all.length > 0) await segments.removeLast();
  await removeSnapshotsAbove(files, directory, -1);
  const segment = new Segment(files, directory, offset);
  if (producers.count > 0) segment.snapshot = encodeProducerSnapshot(producers);
  segments.all.push(segment);
  await segments.create(segment);
  producers.savedOffset = producers.count > 0 ? offset : undefined;
}

/** Files and checkpoints say that the log begins at `offset`. Before anything is appended. */
export async function endRestart(files: Files, directory: string, offset: Offset): Promise<void> {
  await files.remove(restartPath(directory, offset));
  await files.syncDirectory(directory);
}

/** What was decided, among the files of these `names`. Throws CorruptionError. */
export async function findRestart(
  files: Files,
  directory: string,
  names: readonly string[],
): Promise<{ readonly offset: Offset; readonly producers: ProducerStates } | undefined> {
  const name = names.findLast((one) => NAME.test(one));
  if (name === undefined) return undefined;
  const path = `${directory}/${name}`;
  const bytes = (await readWholeFile(files, path)) ?? new Uint8Array();
  return { offset: Number(NAME.exec(name)?.[1]), producers: decodeProducerSnapshot(bytes, path) };
}

function restartPath(directory: string, offset: Offset): string {
  return `${directory}/${offsetName(offset)}.restart`;
}
