/** What a controller is configured with, in the units of the keys of the same names. */
import type { StaticConfig } from '../image/effective-config.ts';

export interface ControllerConfig {
  readonly brokerHeartbeatIntervalMs: number;
  readonly brokerSessionTimeoutMs: number;
  readonly brokerDisconnectGraceMs: number;
  /** 0: never. */
  readonly metadataMaxIdleIntervalMs: number;
  readonly requestTimeoutMs: number;
  readonly numPartitions: number;
  readonly defaultReplicationFactor: number;
  readonly deleteTopicEnable: boolean;
  /** Server keys as set on this node, for the defaults of topics. */
  readonly staticConfig: StaticConfig;
}

/** Records of one user operation, and of one entry of the log; more are a POLICY_VIOLATION. Source: Kafka. */
export const RECORDS_MAX = 10_000;
/** Registered brokers, fenced ones included; more are an INVALID_REGISTRATION. */
export const BROKERS_MAX = 1000;
