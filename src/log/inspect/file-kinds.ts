/**
 * Which files a data directory holds, by name: the one list of them, which the pages in docs/formats are held to.
 *
 *   <data directory>/meta.properties, *-offset-checkpoint, .kafka_cleanshutdown
 *   <data directory>/<topic>-<partition>/<20 digits>.log, .index, .timeindex, .snapshot, partition.metadata,
 *     leader-epoch-checkpoint
 *
 * A file on its way in or out bears one more suffix: .tmp, .deleted, .cleaned, .swap.
 */
import type { Offset } from '../../base/index.ts';
import { META_PROPERTIES } from '../../env/index.ts';
import { CHECKPOINT_NAMES } from '../checkpoint/checkpoints.ts';
import { CLEAN_SHUTDOWN } from '../checkpoint/clean-shutdown.ts';
import { PARTITION_METADATA } from '../checkpoint/partition-metadata.ts';
import { EPOCH_CHECKPOINT } from '../epoch/epoch-checkpoint.ts';
import { parseLogFileName } from '../segment/segment-names.ts';

export const LOG_FILE_KINDS = [
  'segment',
  'offset-index',
  'time-index',
  'producer-snapshot',
  'leader-epoch-checkpoint',
  'offset-checkpoint',
  'partition-metadata',
  'meta-properties',
  'clean-shutdown',
] as const;

export type LogFileKind = (typeof LOG_FILE_KINDS)[number];

export interface LogFileName {
  readonly kind: LogFileKind;
  /** That the name bears; 0 for a kind whose names bear none. */
  readonly baseOffset: Offset;
}

const IN_PASSING = /(\.tmp|\.deleted|\.cleaned|\.swap)+$/;

const BY_SUFFIX: Readonly<Record<string, LogFileKind>> = {
  log: 'segment',
  index: 'offset-index',
  timeindex: 'time-index',
  snapshot: 'producer-snapshot',
};

const BY_NAME: ReadonlyMap<string, LogFileKind> = new Map<string, LogFileKind>([
  ...Object.values(CHECKPOINT_NAMES).map((name): [string, LogFileKind] => [name, 'offset-checkpoint']),
  [EPOCH_CHECKPOINT, 'leader-epoch-checkpoint'],
  [PARTITION_METADATA, 'partition-metadata'],
  [META_PROPERTIES, 'meta-properties'],
  [CLEAN_SHUTDOWN, 'clean-shutdown'],
]);

/** undefined: not a file of a log by its name. `path` may be one, only its last part counts. */
export function findLogFileKind(path: string): LogFileName | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(IN_PASSING, '');
  const kind = BY_NAME.get(name);
  if (kind !== undefined) return { kind, baseOffset: 0 };
  const parsed = parseLogFileName(name);
  const bySuffix = BY_SUFFIX[parsed?.suffix ?? ''];
  return parsed === undefined || bySuffix === undefined
    ? undefined
    : { kind: bySuffix, baseOffset: parsed.offset };
}
