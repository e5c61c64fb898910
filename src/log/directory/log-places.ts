/**
 * The directories of logs in one data directory, as files: found, made, moved out of the way. Knows nothing of what is in
 * a log but whether there is a record at all.
 *
 * Law: a log that is made anew never finds records of another in its place. Whatever stands there, because a deletion was
 * refused by the disk or a person put it there, is set aside first. All reject with EnvironmentError.
 */
import { CorruptionError, type PartitionId, type Random, randomUuid, type Uuid } from '../../base/index.ts';
import type { Files } from '../../env/index.ts';
import {
  PARTITION_METADATA,
  readPartitionMetadata,
  savePartitionMetadata,
} from '../checkpoint/partition-metadata.ts';
import { parseLogFileName } from '../segment/segment-names.ts';
import {
  type AsideKind,
  asideName,
  findLogName,
  isAsideOf,
  isDamagedName,
  isDeletedName,
  type LogName,
} from './directory-names.ts';

export class LogPlaces {
  readonly #files: Files;
  readonly #random: Random;
  readonly #path: string;
  /** Names of what is kept of damaged logs. */
  readonly #damaged = new Set<string>();

  constructor(environment: { readonly files: Files; readonly random: Random }, path: string) {
    this.#files = environment.files;
    this.#random = environment.random;
    this.#path = path;
  }

  /** The logs that are there. What was being deleted is gone afterwards. */
  async find(): Promise<LogName[]> {
    const found: LogName[] = [];
    for (const name of await this.#files.list(this.#path)) {
      if (isDamagedName(name)) this.#damaged.add(name);
      const log = findLogName(name);
      const isDeleted = isDeletedName(name);
      if (log === undefined && !isDeleted) continue;
      const directory = `${this.#path}/${name}`;
      if ((await this.#files.stat(directory))?.kind !== 'directory') continue;
      if (isDeleted) await this.#files.removeDirectory(directory);
      else if (log !== undefined) found.push(log);
    }
    return found;
  }

  /**
   * Whose the log in `directory` is. undefined: the making of the log was never finished. CorruptionError: records without
   * an id that can be read are somebody's, and nobody knows whose.
   */
  async readTopicId(directory: string): Promise<Uuid | undefined | CorruptionError> {
    try {
      const topicId = await readPartitionMetadata(this.#files, directory);
      if (topicId !== undefined) return topicId;
    } catch (error) {
      if (error instanceof CorruptionError) return error;
      throw error;
    }
    if (!(await this.#holdsRecords(directory))) return undefined;
    return new CorruptionError(`${directory}/${PARTITION_METADATA}`, 0, 'the id of the topic', 'no file');
  }

  /** A directory that says whose it is, and nothing else; durable. Gives where what stood in its place is now. */
  async make(directory: string, { topic, partition, topicId }: NewLog): Promise<string | undefined> {
    let aside: string | undefined;
    if ((await this.#files.stat(directory))?.kind === 'directory') {
      if (await this.#holdsRecords(directory))
        aside = await this.moveAside(directory, { topic, partition }, 'stray');
      else await this.#files.removeDirectory(directory);
    }
    await this.#files.makeDirectory(directory);
    await savePartitionMetadata(this.#files, directory, topicId);
    await this.#files.syncDirectory(this.#path);
    return aside;
  }

  /** Takes the name from the files of a log, durably. Gives where they are. */
  async moveAside(
    directory: string,
    { topic, partition }: { readonly topic: string; readonly partition: PartitionId },
    kind: AsideKind,
  ): Promise<string> {
    const name = asideName(topic, partition, randomUuid(this.#random), kind);
    const aside = `${this.#path}/${name}`;
    await this.#files.rename(directory, aside);
    if (kind === 'damaged') this.#damaged.add(name);
    await this.#files.syncDirectory(this.#path);
    return aside;
  }

  /** Removes what was kept of the damaged log of a partition; without a look at the disk when there is nothing. */
  async removeDamaged({ topic, partition }: { readonly topic: string; readonly partition: PartitionId }) {
    for (const name of this.#damaged) {
      if (!isAsideOf(name, topic, partition, 'damaged')) continue;
      await this.#files.removeDirectory(`${this.#path}/${name}`);
      this.#damaged.delete(name);
    }
  }

  async #holdsRecords(directory: string): Promise<boolean> {
    for (const name of await this.#files.list(directory)) {
      const isSegment = parseLogFileName(name)?.suffix === 'log';
      if (isSegment && (await this.#files.stat(`${directory}/${name}`))?.sizeBytes !== 0) return true;
    }
    return false;
  }
}

interface NewLog {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly topicId: Uuid;
}
