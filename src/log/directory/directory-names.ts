/**
 * The names in a data directory. `<topic>-<partition>`, as topicPartitionKey gives it, is a log; three others were one:
 *
 *   <topic>-<partition>.<id>-delete     deleted: its files go soon, or at the next start
 *   <topic>-<partition>.<id>-stray      nobody claims it, or nobody knows whose it is; kept for a person
 *   <topic>-<partition>.<id>-damaged    damaged, and made anew from the leader; kept, at most once per partition,
 *                                       until its topic is deleted
 *
 * Law: nothing under any other name is ours, and it stays as it is. A topic too long for a suffix (file systems give a name
 * 255 bytes) is cut, and a checksum after `~`, which no topic has, tells it from another that begins alike.
 * Source: Kafka's UnifiedLog.logDeleteDirName.
 */
import { crc32c, type PartitionId, topicPartitionKey, type Uuid } from '../../base/index.ts';

export interface LogName {
  /** `<topic>-<partition>`. */
  readonly name: string;
  readonly topic: string;
  readonly partition: PartitionId;
}

export type AsideKind = 'delete' | 'stray' | 'damaged';

/** The metadata log may live in the same directory; it is not ours. */
export const METADATA_LOG = '__cluster_metadata-0';
const NAME_BYTES_MAX = 255;
/** `.<id>-damaged`: a dot, 22 characters of an id, the longest suffix. */
const ASIDE_BYTES = 1 + 22 + 8;
/** A number has one spelling: `t-07` is not the log of t-7. */
const LOG = /^(.+)-(0|[1-9]\d{0,9})$/;
/** Our ids, and those of Kafka. */
const ID = '(?:[\\w-]{22}|[0-9a-f]{32})';
const DELETED = new RegExp(`^.+-\\d+\\.${ID}-delete$`);
const DAMAGED = new RegExp(`^.+-\\d+\\.${ID}-damaged$`);

/** undefined: not the name of a log. */
export function findLogName(name: string): LogName | undefined {
  const [, topic, partition] = LOG.exec(name) ?? [];
  if (topic === undefined || name === METADATA_LOG) return undefined;
  return { name, topic, partition: Number(partition) };
}

export function isDeletedName(name: string): boolean {
  return DELETED.test(name);
}

export function isDamagedName(name: string): boolean {
  return DAMAGED.test(name);
}

/** Where the files of a log go; `id` is drawn anew each time. At most 255 bytes. */
export function asideName(topic: string, partition: PartitionId, id: Uuid, kind: AsideKind): string {
  return `${asideKey(topic, partition)}.${id}-${kind}`;
}

/** True when `name` is an earlier {@link asideName} of this very partition. */
export function isAsideOf(name: string, topic: string, partition: PartitionId, kind: AsideKind): boolean {
  const key = asideKey(topic, partition);
  return name.startsWith(key) && new RegExp(`^\\.${ID}-${kind}$`).test(name.slice(key.length));
}

function asideKey(topic: string, partition: PartitionId): string {
  const key = topicPartitionKey(topic, partition);
  if (key.length + ASIDE_BYTES <= NAME_BYTES_MAX) return key;
  const mark = `~${crc32c(Buffer.from(topic)).toString(16).padStart(8, '0')}-${partition}`;
  return `${topic.slice(0, NAME_BYTES_MAX - ASIDE_BYTES - mark.length)}${mark}`;
}
