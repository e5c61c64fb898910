/**
 * What the checkpoint files of one directory promise of its logs.
 *
 * Law: a file never promises more of a log than the log holds. A save that failed may have replaced some of the files, so
 * what they say at most is kept here, and a cut lowers it before it touches a segment.
 */
import { topicPartitionKey } from '../../base/index.ts';
import type { Files, Logger } from '../../env/index.ts';
import { JoinedRuns } from '../joined-runs.ts';
import type { LogPromise } from '../log-state.ts';
import type { PartitionLog } from '../partition-log.ts';
import { describeFailure } from '../storage-refusal.ts';
import { changedCheckpoints, readCheckpoints, saveCheckpoints } from './checkpoints.ts';
import { highestOf, type LogCheckpoint, NO_CHECKPOINT, promisesMore } from './log-checkpoint.ts';

export interface DirectoryCheckpointsOptions {
  readonly files: Files;
  readonly logger: Logger;
  readonly path: string;
  /** All logs of the directory, by topicPartitionKey. */
  readonly logs: ReadonlyMap<string, PartitionLog>;
}

export class DirectoryCheckpoints {
  readonly #options: DirectoryCheckpointsOptions;
  readonly #saving = new JoinedRuns(() => this.#save());
  /** What the files say at most. */
  #saved = new Map<string, LogCheckpoint>();
  /** What they say for certain; undefined: that is not known. */
  #certain: ReadonlyMap<string, LogCheckpoint> | undefined;

  constructor(options: DirectoryCheckpointsOptions) {
    this.#options = options;
  }

  /** Reads the files; one that is damaged is a warning. Rejects with EnvironmentError. */
  async load(): Promise<void> {
    const { files, logger, path } = this.#options;
    this.#saved = await readCheckpoints(files, path, (error) => {
      const fields = { directory: path, ...describeFailure(error) };
      logger.warn(fields, 'a checkpoint file is damaged; going on without what it said');
    });
  }

  /** What was saved of a log, or that nothing was. */
  get(key: string): LogCheckpoint {
    return this.#saved.get(key) ?? NO_CHECKPOINT;
  }

  has(key: string): boolean {
    return this.#saved.has(key);
  }

  /** Saves what holds now, of all logs. Rejects with EnvironmentError. */
  save(): Promise<void> {
    return this.#saving.run();
  }

  /** True when the files promise more of `log` than it is about to hold. */
  promisesMoreThan(log: LogPromise): boolean {
    const saved = this.get(topicPartitionKey(log.topic, log.partition));
    return (
      saved.recoveryPoint > log.recoveryPoint ||
      saved.logStart > log.logStartOffset ||
      saved.firstDirty > log.firstDirtyOffset
    );
  }

  /** The logs of which the files promise more than they hold. */
  tooHigh(): PartitionLog[] {
    const some = [...this.#options.logs].filter(([key, log]) =>
      promisesMore(this.get(key), this.#checkpointOf(key, log)),
    );
    return some.map(([, log]) => log);
  }

  async #save(): Promise<void> {
    const { files, path, logs } = this.#options;
    const saved = new Map(Array.from(logs, ([key, log]) => [key, this.#checkpointOf(key, log)]));
    const changed = changedCheckpoints(this.#certain, saved);
    if (changed.length === 0) return;
    this.#certain = undefined;
    this.#saved = highestOf(this.#saved, saved);
    await saveCheckpoints(files, path, logs.values(), saved, changed);
    this.#saved = saved;
    this.#certain = saved;
  }

  /** An offline log keeps what was known of it: it may be mended by hand. */
  #checkpointOf(key: string, log: PartitionLog): LogCheckpoint {
    if (log.failure !== undefined) return this.get(key);
    const { highWatermark, recoveryPoint, logStartOffset, firstDirtyOffset } = log;
    return { highWatermark, recoveryPoint, logStart: logStartOffset, firstDirty: firstDirtyOffset };
  }
}
