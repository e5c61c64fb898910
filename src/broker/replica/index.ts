export type { AppendRequest } from './appends.ts';
export type { FetchWork } from './consumer-fetches.ts';
export type { Partition } from './partition.ts';
export type { ReplicaConfig } from './replica-config.ts';
export { ReplicaManager, type ReplicaManagerOptions } from './replica-manager.ts';
