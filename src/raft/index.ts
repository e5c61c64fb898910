/** The metadata quorum: one replicated log, one leader, many followers. */

export { decodeLeaderChange, encodeLeaderChange, type LeaderChange } from './core/control.ts';
export type { RoleName } from './core/effects.ts';
export { ENTRY_BYTES_MAX } from './core/limits.ts';
export * from './core/messages.ts';
export { DEFAULT_QUORUM_TIMEOUTS, type QuorumTimeouts, scaleQuorumTimeouts } from './core/timeouts.ts';
export type { AppendResult } from './node/driver.ts';
export type { LeaderChanged, QuorumListener } from './node/listener.ts';
export type { QuorumCallOptions, QuorumPeer } from './node/peers.ts';
export { type CloseOptions, openRaftNode, type RaftNode, type RaftNodeOptions } from './node/raft-node.ts';
export type { QuorumServer } from './node/service.ts';
export type { QuorumStatus } from './node/status.ts';
export * from './store/index.ts';
