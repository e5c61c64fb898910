/**
 * Opening the log of a partition. After a clean stop its files are trusted. After an unclean one the last
 * segment is read again from its start with every CRC; those before it were durable before it began, so its
 * base is the least that must be good.
 *
 * What lies below the recovery point was synced: a bad batch there is corruption, never cut. What lies at
 * or above it may be torn: the log ends at the first bad batch. Source: Kafka's LogLoader and
 * LogSegment.recover; where Kafka cuts, we go offline.
 */
import { CorruptionError, type Offset } from '../../base/index.ts';
import type { Files, Logger } from '../../env/index.ts';
import { recoverSwaps } from '../compaction/swap-files.ts';
import { EpochCache, type EpochEntry } from '../epoch/epoch-cache.ts';
import { EpochCheckpoint } from '../epoch/epoch-checkpoint.ts';
import type { LogConfig } from '../log-config.ts';
import { rebuildProducers, snapshotsAmong, tidySnapshots } from '../producer/producer-replay.ts';
import { ProducerStates } from '../producer/producer-states.ts';
import type { BatchHeader } from '../record/index.ts';
import { beginAnew, endRestart, findRestart } from '../segment/begin-anew.ts';
import { removeLeftovers } from '../segment/doomed-segment.ts';
import { Segment } from '../segment/segment.ts';
import { SegmentIndex } from '../segment/segment-index.ts';
import { SegmentList } from '../segment/segment-list.ts';
import { parseLogFileName } from '../segment/segment-names.ts';
import type { SegmentPool } from '../segment/segment-pool.ts';
import { type ScanEnd, scanBatches } from '../segment/segment-scan.ts';
import { locateBatch } from '../segment/trusted-index.ts';
import { describeFailure } from '../storage-refusal.ts';
import { findEpochs, noteEpoch } from './found-epochs.ts';
import { SyncedPart } from './synced-part.ts';
import { writeAgain } from './write-again.ts';

/** Recovery tells how far it is after so many bytes. */
const RECOVERED_BYTES = 4 * 1024 * 1024;

export interface OpenLogOptions {
  readonly files: Files;
  readonly logger: Logger;
  readonly pool: SegmentPool;
  readonly directory: string;
  readonly config: LogConfig;
  /** Checkpoints of the directory; 0 when they do not name this log. */
  readonly recoveryPoint: Offset;
  readonly logStartOffset: Offset;
  readonly firstDirtyOffset: Offset;
  readonly clean: boolean;
  readonly onRecovered: (bytes: number) => void;
  /** Given what is left to do once the checkpoints promise no more than the log holds. */
  readonly afterwards: (task: () => Promise<void>) => void;
}

/** What is on disk, all of it durable; the last segment is open. */
export interface LoadedLog {
  readonly segments: SegmentList;
  readonly epochs: EpochCheckpoint;
  readonly producers: ProducerStates;
  readonly logStartOffset: Offset;
  readonly logEndOffset: Offset;
  /** At most the end. */
  readonly firstDirtyOffset: Offset;
}

/** Throws CorruptionError, EnvironmentError; then no file of it is open any more. */
export async function loadLog(options: OpenLogOptions): Promise<LoadedLog> {
  const segments = new SegmentList(options.files, options.directory, options.pool, options.config);
  try {
    return await load(options, segments);
  } catch (error) {
    await segments.close();
    throw error;
  }
}

async function load(options: OpenLogOptions, segments: SegmentList): Promise<LoadedLog> {
  const { files, directory, logger, clean } = options;
  const listed = await files.list(directory);
  // What a killed process renamed or removed may be in the system's memory alone. Nothing may be built upon it before.
  if (!clean && listed.some((name) => name.includes('.log'))) await files.syncDirectory(directory);
  const epochs = await openEpochs(options);
  let names = await removeLeftovers(files, directory, await recoverSwaps(files, directory, listed));
  const saved = epochs.cache.entries;
  await findSegments(segments, names);
  const restart = await findRestart(files, directory, names);
  const savedStart = restart?.offset ?? options.logStartOffset;
  if (restart !== undefined) {
    await beginAnew(segments, restart.offset, restart.producers);
    names = await files.list(directory);
    epochs.cache.clear();
    options.afterwards(() => endRestart(files, directory, restart.offset));
  }
  if (segments.all.length === 0) await createFirst(segments, savedStart);
  for (const [i, segment] of segments.all.slice(0, -1).entries())
    await checkClosed(segments, segment, segments.all[i + 1]?.baseOffset ?? 0);
  if (epochs.cache.entries.length === 0) await findEpochs(segments, epochs.cache);
  const end = clean
    ? await trustLast(segments, options, saved)
    : await recoverLast(segments, options, epochs, saved);
  const logEndOffset = Math.max(end.nextOffset, savedStart);
  if (end.nextOffset < savedStart) {
    logger.warn(
      { directory, endOffset: end.nextOffset, startOffset: savedStart },
      'a log ends below its start',
    );
    await beginAnew(segments, savedStart, new ProducerStates());
    names = await files.list(directory);
    epochs.cache.clear();
  }
  const snapshots = await tidySnapshots(segments, snapshotsAmong(names), logEndOffset);
  const producers = await rebuildProducers(segments, logEndOffset, logger, snapshots);
  const firstBase = segments.all[0]?.baseOffset ?? 0;
  const logStartOffset = Math.max(savedStart, firstBase);
  epochs.cache.truncateFromEnd(logEndOffset);
  epochs.cache.truncateFromStart(logStartOffset);
  await saveEpochs(epochs, saved, logEndOffset);
  const firstDirtyOffset = Math.min(options.firstDirtyOffset, logEndOffset);
  return { segments, epochs, producers, logStartOffset, logEndOffset, firstDirtyOffset };
}

/** A damaged file is as good as a missing one: the batches know the epochs. */
async function openEpochs({ files, directory, logger }: OpenLogOptions): Promise<EpochCheckpoint> {
  try {
    return await EpochCheckpoint.open(files, directory);
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    logger.warn(
      { directory, ...describeFailure(error) },
      'leader epochs are damaged; reading them from the batches',
    );
    return new EpochCheckpoint(files, directory, new EpochCache());
  }
}

/**
 * Epochs of which the log has no batch may stay in the file until something is written: the next start drops them
 * again. Making a file durable for each of ten thousand logs would take longer than all the rest.
 */
async function saveEpochs(
  epochs: EpochCheckpoint,
  saved: readonly EpochEntry[],
  endOffset: Offset,
): Promise<void> {
  const { entries } = epochs.cache;
  const same = (one: EpochEntry, other: EpochEntry | undefined): boolean =>
    one.epoch === other?.epoch && one.startOffset === other.startOffset;
  if (entries.length === saved.length && entries.every((entry, i) => same(entry, saved[i]))) return;
  epochs.touch();
  const known = saved.filter(({ startOffset }) => startOffset < endOffset);
  if (entries.length !== known.length || !entries.every((entry, i) => same(entry, known[i])))
    await epochs.settled();
}

async function findSegments(segments: SegmentList, names: readonly string[]): Promise<void> {
  const { files, directory } = segments;
  for (const name of names) {
    const parsed = parseLogFileName(name);
    if (parsed?.suffix !== 'log') continue;
    const segment = new Segment(files, directory, parsed.offset);
    const stat = await files.stat(segment.logPath);
    segment.exists = true;
    segment.sizeBytes = stat?.sizeBytes ?? 0;
    segment.writtenBytes = segment.sizeBytes;
    segments.all.push(segment);
  }
}

async function createFirst(segments: SegmentList, baseOffset: Offset): Promise<void> {
  const segment = new Segment(segments.files, segments.directory, baseOffset);
  segments.all.push(segment);
  await segments.create(segment);
}

/** Indexes are checked, or made anew; the segment must reach the next one, or a part or a file of the log is missing. */
function checkClosed(segments: SegmentList, segment: Segment, nextBase: Offset): Promise<void> {
  const { indexIntervalBytes } = segments.config;
  return segments.use(segment, async (handle, index) => {
    const start = await locateBatch(segment, { handle, index }, Number.MAX_SAFE_INTEGER, indexIntervalBytes);
    const range = { start, end: segment.writtenBytes, minOffset: segment.baseOffset, verify: false };
    const end = await scanBatches(handle, range, () => true);
    if (end.problem === undefined && end.nextOffset === nextBase) {
      if (!segment.indexIsSaved) await segment.saveIndex();
      return;
    }
    const found = end.problem ?? `the end of the file at offset ${end.nextOffset}`;
    throw new CorruptionError(segment.logPath, end.position, `batches up to offset ${nextBase}`, found);
  });
}

/** After a clean stop: from the last index entry, to find the end. */
function trustLast(
  segments: SegmentList,
  options: OpenLogOptions,
  saved: readonly EpochEntry[],
): Promise<ScanEnd> {
  const { indexIntervalBytes } = options.config;
  return segments.activate(async (segment, handle, index) => {
    const start = await locateBatch(segment, { handle, index }, Number.MAX_SAFE_INTEGER, indexIntervalBytes);
    const range = { start, end: segment.writtenBytes, minOffset: segment.baseOffset, verify: false };
    const noteFirst = ({ count, maxTimestamp }: BatchHeader): void => {
      if (count > 0) segment.firstTimestampMs ??= maxTimestamp;
    };
    if (start > 0)
      await scanBatches(handle, { ...range, start: 0 }, (header) => {
        noteFirst(header);
        return false;
      });
    const synced = new SyncedPart(segment, options.recoveryPoint, new EpochCache(saved));
    const end = await scanBatches(handle, range, (header, position) => {
      noteFirst(header);
      synced.check(header, position);
      return true;
    });
    if (end.problem !== undefined)
      throw new CorruptionError(segment.logPath, end.position, 'a whole batch', end.problem);
    synced.assertWhole(end);
    if (options.recoveryPoint > 0 && end.nextOffset !== options.recoveryPoint)
      throw new CorruptionError(
        segment.logPath,
        end.position,
        `the end of the log at ${options.recoveryPoint}`,
        `offset ${end.nextOffset}`,
      );
    segment.indexTrustedFrom = Math.min(segment.indexTrustedFrom, end.nextOffset);
    return end;
  });
}

/** After an unclean stop: everything again, cut where the synced part ends and a bad batch stands. */
function recoverLast(
  segments: SegmentList,
  options: OpenLogOptions,
  epochs: EpochCheckpoint,
  saved: readonly EpochEntry[],
): Promise<ScanEnd> {
  const { files, directory, config, logger } = options;
  const index = new SegmentIndex(segments.active.baseOffset);
  segments.active.index = index;
  // The file may name epochs whose batches were lost, and lack those of batches that were not.
  epochs.cache.truncateFromEnd(segments.active.baseOffset);
  return segments.activate(async (segment, handle) => {
    const range = { start: 0, end: segment.writtenBytes, minOffset: segment.baseOffset, verify: true };
    const synced = new SyncedPart(segment, options.recoveryPoint, new EpochCache(saved));
    let told = 0;
    let unsyncedFrom = Number.MAX_SAFE_INTEGER;
    const end = await scanBatches(handle, range, (header, position) => {
      synced.check(header, position);
      if (header.lastOffset >= options.recoveryPoint) unsyncedFrom = Math.min(unsyncedFrom, position);
      if (position - told >= RECOVERED_BYTES) {
        options.onRecovered(position - told);
        told = position;
      }
      if (header.count > 0) segment.firstTimestampMs ??= header.maxTimestamp;
      index.note(header, position, config.indexIntervalBytes);
      noteEpoch(epochs.cache, header, segment, position);
      return true;
    });
    options.onRecovered(segment.writtenBytes - told);
    synced.assertWhole(end);
    if (end.problem !== undefined) {
      const lostBytes = segment.writtenBytes - end.position;
      logger.warn(
        { directory, offset: end.nextOffset, lostBytes, problem: end.problem },
        'cut an unsynced tail',
      );
      await handle.truncate(end.position);
      segment.sizeBytes = end.position;
      segment.writtenBytes = end.position;
    }
    const { recoveryPoint } = options;
    const isDurable =
      end.problem === undefined && end.nextOffset === recoveryPoint && recoveryPoint > segment.baseOffset;
    if (!isDurable) {
      // A killed process leaves bytes that only the system's memory has.
      await writeAgain(handle, unsyncedFrom, end.position);
      await handle.sync();
      await files.syncDirectory(directory);
    }
    return end;
  });
}
