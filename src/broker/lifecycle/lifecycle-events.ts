/** What happens to the lifecycle machine, and what it wants done; see lifecycle-state.ts. */
import type { BrokerEpoch, ErrorName, NodeId, Offset, QuorumEpoch, Uuid } from '../../base/index.ts';
import type { BrokerHeartbeat, BrokerHeartbeatReply } from '../../rpc/api/index.ts';

export type LifecyclePhase = 'registering' | 'catching-up' | 'running' | 'shutting-down' | 'stopped';

export interface LifecycleSettings {
  readonly nodeId: NodeId;
  readonly heartbeatIntervalMs: number;
  readonly registrationTimeoutMs: number;
  readonly controlledShutdownTimeoutMs: number;
}

export interface ControllerRef {
  readonly nodeId: NodeId;
  readonly epoch: QuorumEpoch;
}

export type LifecycleEvent =
  | { readonly kind: 'tick' }
  /** Who leads the quorum; absent: nobody known. */
  | { readonly kind: 'controller'; readonly controller?: ControllerRef }
  | { readonly kind: 'registered'; readonly brokerEpoch: BrokerEpoch }
  | { readonly kind: 'registration-failed'; readonly code?: ErrorName; readonly message: string }
  /** Everything below `offset` is published here. `unfenced`: it shows this broker's epoch unfenced. */
  | {
      readonly kind: 'published';
      readonly offset: Offset;
      readonly urgent: boolean;
      readonly unfencedEpoch: BrokerEpoch;
    }
  | { readonly kind: 'settled'; readonly brokerEpoch: BrokerEpoch }
  /** All data directories that have failed so far. */
  | { readonly kind: 'directories'; readonly offline: readonly Uuid[] }
  | { readonly kind: 'reply'; readonly session: number; readonly reply: BrokerHeartbeatReply }
  | { readonly kind: 'session-ended'; readonly session: number }
  | { readonly kind: 'shutdown' };

export type LifecycleEffect =
  | { readonly kind: 'register'; readonly controller: ControllerRef }
  | { readonly kind: 'open-session'; readonly session: number; readonly controller: ControllerRef }
  | { readonly kind: 'close-session'; readonly session: number }
  | { readonly kind: 'heartbeat'; readonly session: number; readonly heartbeat: BrokerHeartbeat }
  /** Answer with 'settled' once the replicas follow all metadata published so far. */
  | { readonly kind: 'settle'; readonly brokerEpoch: BrokerEpoch }
  | { readonly kind: 'unfenced' }
  | { readonly kind: 'fenced' }
  /** The cluster will not have this broker; `registered`: it once had. */
  | { readonly kind: 'refused'; readonly message: string; readonly registered: boolean }
  /** The controlled shutdown is over; `granted`: no leadership is left here. */
  | { readonly kind: 'shutdown-over'; readonly granted: boolean };
