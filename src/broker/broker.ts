/** What a broker is given and what it offers. */
import type { BrokerEpoch, NodeId, Offset, PartitionId, Uuid } from '../base/index.ts';
import type { Environment } from '../env/index.ts';
import type { DataDirectory, PartitionLog } from '../log/index.ts';
import type { MetadataImage } from '../metadata/index.ts';
import type {
  Address,
  AdminService,
  BrokerListener,
  BrokerService,
  CallContext,
  ReplicaService,
  Transport,
} from '../rpc/api/index.ts';
import type { BrokerConfig } from './config.ts';
import type { QuorumView } from './controller/quorum-view.ts';
import type { LifecyclePhase } from './lifecycle/lifecycle-events.ts';
import type { PartitionState } from './replica/core/partition-state.ts';

export interface BrokerOptions {
  readonly nodeId: NodeId;
  readonly clusterId: Uuid;
  readonly rack?: string;
  readonly config: BrokerConfig;
  readonly environment: Environment;
  readonly raft: QuorumView;
  readonly transport: Transport;
  /** As the caller has checked their meta.properties; at least one can be used. */
  readonly logs: { readonly directories: readonly DataDirectory[] };
  /** Where others reach this broker; the caller serves the services there. */
  readonly listeners: readonly BrokerListener[];
  /** Where a controller listens, as configured. */
  readonly controllerEndpoints: (controller: NodeId) => Address | undefined;
}

export interface BrokerStatus {
  readonly phase: LifecyclePhase;
  /** -1: never registered. */
  readonly brokerEpoch: BrokerEpoch;
  /** Why it is not running; absent when it is. */
  readonly trouble?: string;
  /** Everything below is published here. */
  readonly metadataOffset: Offset;
}

/** A replica as it is, to be looked at and not to be changed. */
export interface ReplicaView {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly topicId: Uuid;
  readonly log: Readonly<PartitionLog>;
  readonly state: Readonly<PartitionState>;
}

export interface Broker {
  readonly broker: BrokerService<CallContext>;
  readonly admin: AdminService<CallContext>;
  readonly replica: ReplicaService<CallContext>;
  /** Registered, caught up, unfenced. Rejects with StartupError when the cluster does not take this broker. */
  readonly ready: Promise<void>;
  status(): BrokerStatus;
  /** The newest published one. */
  image(): MetadataImage;
  /** Those it has now, whatever their state. */
  replicas(): Iterable<ReplicaView>;
  /** `controlled`: leaderships move away first, within controlled.shutdown.timeout.ms. Closes the logs cleanly. */
  shutdown(options: { readonly controlled: boolean }): Promise<void>;
}
