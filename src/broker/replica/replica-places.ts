/**
 * Where the replicas of this broker have their logs, as the disks and the metadata say; see core/replica-place.ts for what
 * follows from that. Tells the controller when it knows something else, and remembers which replicas stay without a log.
 */
import { CorruptionError, type NodeId, type PartitionId, type Uuid } from '../../base/index.ts';
import type { Environment } from '../../env/index.ts';
import type { LogManager, PartitionLog } from '../../log/index.ts';
import { directoryOf, LOST_DIRECTORY } from '../../metadata/index.ts';
import { decidePlace, type PlaceDecision } from './core/replica-place.ts';
import type { DirectoryAssignments } from './directory-assignments.ts';
import type { LocalReplica } from './local-changes.ts';
import { PartitionMap } from './partition-map.ts';

export interface ReplicaPlacesOptions {
  readonly nodeId: NodeId;
  readonly logs: LogManager;
  readonly environment: Pick<Environment, 'logger'>;
  readonly assignments: DirectoryAssignments;
  readonly findLog: (replica: LocalReplica) => PartitionLog | undefined;
}

export class ReplicaPlaces {
  readonly #options: ReplicaPlacesOptions;
  /** Replicas that the metadata want here and that have no log that could be used, with the reason. */
  readonly #left = new PartitionMap<string>();

  constructor(options: ReplicaPlacesOptions) {
    this.#options = options;
  }

  /** undefined: the replica has a log, or is none of this broker's. */
  whyLeft(topicId: Uuid, partition: PartitionId): string | undefined {
    return this.#left.find(topicId, partition);
  }

  /** The replica is not this broker's any more. */
  forget(topicId: Uuid, partition: PartitionId): void {
    this.#left.delete(topicId, partition);
    this.#options.assignments.forget(topicId, partition);
  }

  /** `own`: its log, as ReplicaLogs finds it. */
  decide(
    { topicId, partition, registration, isNew }: LocalReplica,
    own: PartitionLog | undefined,
  ): PlaceDecision {
    const { nodeId, logs } = this.#options;
    const log =
      own === undefined
        ? 'none'
        : own.failure === undefined
          ? 'sound'
          : own.failure instanceof CorruptionError
            ? 'damaged'
            : 'offline';
    this.#left.delete(topicId, partition);
    const { onlineDirectories: online, directoryCount } = logs;
    const someOffline = logs.directoryFailure !== undefined;
    const foundIn = own === undefined ? undefined : logs.directoryOf(own);
    return decidePlace({ nodeId, registration, isNew, log, foundIn, online, someOffline, directoryCount });
  }

  /** The replica stays without a log until metadata or the next start say something else. */
  leave(
    { topic, topicId, partition }: LocalReplica,
    { why, mustAct }: { readonly why: string; readonly mustAct: boolean },
  ): void {
    this.#left.set(topicId, partition, why);
    const { logger } = this.#options.environment;
    if (!mustAct) logger.debug({ topic, partition, why }, 'a replica stays offline');
    else
      logger.error(
        {
          topic,
          partition,
          why,
          wayOut:
            'restore its files and start the broker again, or let another replica lead with ' +
            'unclean.leader.election.enable=true, which loses what only this one has',
        },
        'a replica stays offline until a person decides',
      );
  }

  /** Lets the controller know where the replica lives, if its metadata say something else. */
  tell(replica: LocalReplica): void {
    const { nodeId, logs, assignments } = this.#options;
    const { topicId, partition, registration } = replica;
    const log = this.#options.findLog(replica);
    if (log === undefined) return;
    const isDamaged = log.failure instanceof CorruptionError;
    // Of a sound log that is left alone the controller must not hear: it would elect it.
    if (!isDamaged && this.#left.find(topicId, partition) !== undefined) return;
    const directoryId = isDamaged ? LOST_DIRECTORY : logs.directoryOf(log);
    if (directoryId === undefined) return;
    if (directoryId === directoryOf(registration, nodeId)) assignments.forget(topicId, partition);
    else assignments.tell(topicId, partition, directoryId);
  }
}
