/**
 * What a broker follows: the metadata log, for its publishers in their order, and who leads the quorum.
 *
 * A record that cannot be replayed ends the broker: one that skipped it would act on a view no one else has.
 */
import { NONE, type NodeId } from '../base/index.ts';
import type { Environment } from '../env/index.ts';
import { MetadataLoader, type MetadataPublisher } from '../metadata/index.ts';
import type { QuorumView } from './controller/quorum-view.ts';
import type { ControllerRef } from './lifecycle/lifecycle-events.ts';

export interface MetadataFeedOptions {
  readonly raft: QuorumView;
  readonly environment: Pick<Environment, 'logger' | 'exit'>;
  readonly publishers: readonly MetadataPublisher[];
  /** Told of changes. undefined: nobody is known to lead. */
  readonly controllerChanged: (controller: ControllerRef | undefined) => void;
  readonly report: (error: unknown, what: string) => void;
}

/** Starts to follow. Gives how to stop. */
export function followMetadata(options: MetadataFeedOptions): () => void {
  const { raft, environment, publishers, controllerChanged, report } = options;
  const loader = new MetadataLoader({
    publishers,
    highWatermark: () => raft.status().quorumHighWatermark,
    logger: environment.logger,
    onFault: (error, fault) => {
      if (fault.during === 'replay') environment.exit.fatal('metadata-replay', error);
      else report(error, 'metadata publisher failed');
    },
  });
  const subscriptions = [
    raft.subscribe(loader),
    raft.subscribe({
      handleCommit() {},
      handleLeaderChange: (change) => controllerChanged(controllerOf(change)),
      handleLeading() {},
      handleNotLeading() {},
    }),
  ];
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
  };
}

/** undefined: nobody leads. */
export function controllerOf({ leaderId, epoch }: Leader): ControllerRef | undefined {
  return leaderId === NONE ? undefined : { nodeId: leaderId, epoch };
}

interface Leader {
  readonly leaderId: NodeId;
  readonly epoch: number;
}
