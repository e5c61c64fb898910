import type { MonotonicMs, NodeId, WallMs } from '../../base/index.ts';
import type { BrokerLookup } from './core/eligibility.ts';
import type { Partition } from './partition.ts';

/** What a partition asks of the broker around it. */
export interface PartitionHost {
  readonly nodeId: NodeId;
  /** Brokers as the newest metadata know them. */
  readonly brokers: BrokerLookup;
  monotonicMs(): MonotonicMs;
  wallMs(): WallMs;
  /** A change of the in-sync set is pending in the partition's state: ask the controller for it. */
  requestIsrChange(partition: Partition): void;
  /** As follower: more of the log is durable. */
  handleFlushed(partition: Partition): void;
  /** A follower asked with another epoch, or is none. */
  noteFetchRefused(): void;
  /** The log takes no more appends. Told once. */
  handleLogFailure(partition: Partition): void;
}
