import type { Uuid } from '../../base/index.ts';
import type { Environment } from '../../env/index.ts';
import type { LogConfig } from '../log-config.ts';
import type { LogCounters } from '../log-metrics.ts';
import type { LoadProgress } from '../open/load-progress.ts';
import type { TailCache } from '../read/tail-cache.ts';
import type { SegmentPool } from '../segment/segment-pool.ts';

/** A data directory as the configuration and its meta.properties describe it. */
export interface DataDirectory {
  readonly path: string;
  /** Absent: it could not be read. */
  readonly id?: Uuid;
  /** Why it is offline already. */
  readonly failure?: Error;
}

/** Without timers, files that are to be removed go at once. */
export type LogEnvironment = Pick<Environment, 'files' | 'logger' | 'random'> &
  Partial<Pick<Environment, 'timers'>>;

/** What the directories of one broker share. */
export interface DirectorySurroundings {
  readonly environment: LogEnvironment;
  /** For logs found on disk, until somebody sets their topic's. */
  readonly defaults: LogConfig;
  readonly tailCache: TailCache;
  readonly pool: SegmentPool;
  readonly counters: LogCounters;
  readonly progress: LoadProgress;
  /** Called once at most for each. */
  readonly handleDirectoryFailure: (failure: Error) => void;
}
