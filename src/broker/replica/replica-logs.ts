/**
 * What a replica does to the logs of its name on disk: makes one, sets a damaged one aside, deletes one. Whether it may is
 * decided before; see core/replica-place.ts. All reject with EnvironmentError and can be done again.
 */
import { type PartitionId, type Uuid, ZERO_UUID } from '../../base/index.ts';
import type { Logger } from '../../env/index.ts';
import type { LogManager, PartitionLog } from '../../log/index.ts';
import type { LocalReplica } from './local-changes.ts';

export class ReplicaLogs {
  readonly #logs: LogManager;
  readonly #logger: Logger;

  constructor(logs: LogManager, logger: Logger) {
    this.#logs = logs;
    this.#logger = logger;
  }

  /**
   * The log of a replica. One that does not say whose it is stands where this replica's was: it is this one's, damaged. Not
   * a new one's, though: such a log is as old as the start.
   */
  find({ topic, topicId, partition, isNew }: Omit<LocalReplica, 'registration'>): PartitionLog | undefined {
    const found = this.#logs.findAll(topic, partition);
    const own = found.find((log) => log.topicId === topicId);
    return own ?? (isNew ? undefined : found.find((log) => log.topicId === ZERO_UUID));
  }

  /** A new one, empty; `directoryId` absent: in any directory. */
  async make(
    { topic, topicId, partition }: LocalReplica,
    config: PartitionLog['config'],
    directoryId: Uuid | undefined,
  ): Promise<PartitionLog> {
    // Of a topic of that name deleted while this broker was away; or nobody knows whose it was.
    for (const other of this.#logs.findAll(topic, partition)) {
      if (other.topicId === ZERO_UUID) await this.#logs.setAside(other);
      else if (other.topicId !== topicId) await this.#logs.delete(topic, partition, other.topicId);
    }
    return this.#logs.create(topic, partition, topicId, config, directoryId);
  }

  /** For a log that is to be made anew in its place. */
  async setAside({ topic, topicId, partition }: LocalReplica, damaged: PartitionLog): Promise<void> {
    // Of twins none is served.
    const twins = this.#logs
      .findAll(topic, partition)
      .filter((log) => log !== damaged && log.topicId === topicId);
    const keptIn = await this.#logs.setAside(damaged);
    for (const twin of twins) await this.#logs.setAside(twin);
    const fields = { topic, partition, keptIn, error: damaged.failure?.message };
    this.#logger.warn(fields, 'set a damaged log aside; fetching it anew from the leader');
  }

  async delete(topic: string, topicId: Uuid, partition: PartitionId, topicDeleted: boolean): Promise<void> {
    if (topicDeleted) await this.#logs.removeDamaged(topic, partition);
    const own = this.find({ topic, topicId, partition, isNew: false });
    if (own === undefined) return;
    await this.#logs.delete(topic, partition, own.topicId);
    this.#logger.info({ topic, partition, topicId }, 'deleted a replica');
  }
}
