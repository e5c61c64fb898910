import type { ErrorCode, LeaderEpoch, NodeId, PartitionId } from '../../base/index.ts';

/** Where a node listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, IPv6 hosts in brackets. */
export function formatAddress(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** The leader as the answering broker knows it, so that a client needs no metadata request (KIP-951). */
export interface CurrentLeader {
  readonly nodeId: NodeId;
  readonly leaderEpoch: LeaderEpoch;
  readonly address?: Address;
}

/** Outcome of one thing of a request. `error` is NONE on success; `errorMessage` says more than the code. */
export interface Outcome {
  readonly error: ErrorCode;
  readonly errorMessage?: string;
}

export interface PartitionRef {
  readonly topic: string;
  readonly partition: PartitionId;
}

/** A record in clear, for clients that do not speak record batches. */
export interface PlainRecord {
  readonly key?: Uint8Array;
  readonly value?: Uint8Array;
  readonly headers: readonly RecordHeader[];
  /** Unix milliseconds; absent in a produce request: the broker's time. */
  readonly timestampMs?: number;
  /** Set by the broker in a fetch reply. */
  readonly offset?: number;
}

export interface RecordHeader {
  readonly key: string;
  readonly value?: Uint8Array;
}
