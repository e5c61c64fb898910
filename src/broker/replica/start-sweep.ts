/**
 * What becomes of the logs that a start found, before any of them is a replica; see core/found-logs.ts for the laws.
 * Nothing here proves a deletion, so nothing is deleted: what is nobody's is set aside, and a person may remove it.
 */
import { CorruptionError, type NodeId } from '../../base/index.ts';
import type { Logger } from '../../env/index.ts';
import type { LogManager, PartitionLog } from '../../log/index.ts';
import type { MetadataImage } from '../../metadata/index.ts';
import { judgeFoundLogs, type LogClaim } from './core/found-logs.ts';

export interface SweepOptions {
  readonly nodeId: NodeId;
  readonly logs: LogManager;
  readonly logger: Logger;
  /** Runs the task before anything else is done with the partition. */
  readonly queue: (name: string, task: () => Promise<void>) => void;
}

export function sweepFoundLogs(image: MetadataImage, options: SweepOptions): void {
  const { logs, nodeId } = options;
  const names = new Map(Array.from(logs.all(), (log) => [`${log.topic}-${log.partition}`, log]));
  for (const { topic, partition } of names.values()) {
    const found = logs.findAll(topic, partition);
    const known = image.topics.find(topic);
    const registration = known?.partitions[partition];
    const claims = judgeFoundLogs(
      found.map((log) => ({ topicId: log.topicId, directoryId: logs.directoryOf(log) })),
      known === undefined || registration === undefined ? undefined : { topicId: known.id, registration },
      nodeId,
    );
    for (const [i, log] of found.entries()) handle(log, claims[i] ?? 'replica', found, options);
  }
}

function handle(
  log: PartitionLog,
  claim: LogClaim,
  found: readonly PartitionLog[],
  { logs, logger, queue }: SweepOptions,
): void {
  const { topic, partition, topicId, directory } = log;
  switch (claim) {
    case 'replica':
      return;
    case 'no-replica':
      logger.warn({ topic, partition, directory }, 'a stray log: this broker is no replica');
      return;
    case 'twin': {
      const other = found.find((one) => one !== log)?.directory ?? '';
      log.takeOffline(
        new CorruptionError(directory, 0, 'the only log of the partition', `another in ${other}`),
      );
      return;
    }
    case 'unknown-topic':
    case 'outdated': {
      const why =
        claim === 'outdated'
          ? 'set an outdated log aside: the metadata name another directory, which has one; remove it'
          : 'set a log of an unknown topic aside; remove it if it was deleted';
      queue(`${topic}-${partition}`, async () => {
        const keptIn = await logs.setAside(log);
        logger.warn({ topic, partition, topicId, directory: keptIn ?? directory }, why);
      });
    }
  }
}
