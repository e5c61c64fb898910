import { CorruptionError, EnvironmentError } from '../../base/index.ts';
import type { LogCheckpoint } from '../checkpoint/log-checkpoint.ts';
import { EpochCache } from '../epoch/epoch-cache.ts';
import { EpochCheckpoint } from '../epoch/epoch-checkpoint.ts';
import type { LogConfig } from '../log-config.ts';
import type { LogIdentity, LogSurroundings } from '../log-state.ts';
import { PartitionLog } from '../partition-log.ts';
import { ProducerStates } from '../producer/producer-states.ts';
import { Segment } from '../segment/segment.ts';
import { SegmentList } from '../segment/segment-list.ts';
import { type LoadedLog, loadLog } from './open-log.ts';

/** What is known of a log before its directory is looked into. */
export interface FoundLog {
  readonly checkpoint: LogCheckpoint;
  /** Its files may be trusted. */
  readonly clean: boolean;
  /** Told how much was read again, now and then. */
  readonly onRecovered?: (bytes: number) => void;
  /** Given what is left to do once the checkpoints promise no more than the log holds; absent: they do. */
  readonly afterwards?: (task: () => Promise<void>) => void;
}

/**
 * The log in a directory that exists. One that is damaged or cannot be read comes back offline, with its
 * `failure` set.
 */
export async function openPartitionLog(
  identity: LogIdentity,
  config: LogConfig,
  found: FoundLog,
  around: LogSurroundings,
): Promise<PartitionLog> {
  const { highWatermark, recoveryPoint, logStart, firstDirty } = found.checkpoint;
  const { directory } = identity;
  const { files, logger, pool } = around;
  const options = {
    files,
    logger,
    pool,
    directory,
    config,
    recoveryPoint,
    logStartOffset: logStart,
    firstDirtyOffset: firstDirty,
    clean: found.clean,
    onRecovered: found.onRecovered ?? (() => {}),
    afterwards: found.afterwards ?? (() => {}),
  };
  try {
    return new PartitionLog(identity, await loadLog(options), highWatermark, around);
  } catch (error) {
    if (!(error instanceof CorruptionError) && !(error instanceof EnvironmentError)) throw error;
    return offlineLog(identity, config, error, around);
  }
}

/** A log of which nothing is known but that it is there, and why it cannot be used. */
export function offlineLog(
  identity: LogIdentity,
  config: LogConfig,
  error: CorruptionError | EnvironmentError,
  around: LogSurroundings,
): PartitionLog {
  const log = new PartitionLog(identity, nothingLoaded(around, identity.directory, config), 0, around);
  log.takeOffline(error);
  return log;
}

function nothingLoaded(around: LogSurroundings, directory: string, config: LogConfig): LoadedLog {
  const segments = new SegmentList(around.files, directory, around.pool, config);
  segments.all.push(new Segment(around.files, directory, 0));
  const epochs = new EpochCheckpoint(around.files, directory, new EpochCache());
  return {
    segments,
    epochs,
    producers: new ProducerStates(),
    logStartOffset: 0,
    logEndOffset: 0,
    firstDirtyOffset: 0,
  };
}
