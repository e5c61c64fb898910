/** From the configuration of a node to the options of its parts. */
import type { NodeId } from '../base/index.ts';
import { type BrokerOptions, brokerConfig } from '../broker/index.ts';
import type { Environment } from '../env/index.ts';
import type { DataDirectory } from '../log/index.ts';
import type { ControllerConfig } from '../metadata/index.ts';
import {
  DEFAULT_QUORUM_TIMEOUTS,
  type QuorumPeer,
  type QuorumTimeouts,
  type RaftNode,
} from '../raft/index.ts';
import type { Address, BrokerListener, Transport } from '../rpc/api/index.ts';
import type { NodeConfig } from './config/node-config.ts';
import type { StorageIdentity } from './storage.ts';

export function quorumTimeouts(config: NodeConfig): QuorumTimeouts {
  const fetchTimeoutMs = config.integer('controller.quorum.fetch.timeout.ms');
  return {
    ...DEFAULT_QUORUM_TIMEOUTS,
    electionTimeoutMs: config.integer('controller.quorum.election.timeout.ms'),
    fetchTimeoutMs,
    // A parked fetch is heard of well before its leader counts as silent.
    fetchMaxWaitMs: Math.floor(fetchTimeoutMs / 4),
    electionBackoffMaxMs: config.integer('controller.quorum.election.backoff.max.ms'),
    requestTimeoutMs: config.integer('controller.quorum.request.timeout.ms'),
    disconnectGraceMs: config.integer('controller.quorum.disconnect.grace.ms'),
  };
}

/** A connection of its own for each node of the quorum: elections do not queue behind records. */
export function quorumPeers(transport: Transport): (nodeId: NodeId, endpoint: Address) => QuorumPeer {
  return (_nodeId, endpoint) => transport.connect(endpoint).quorum;
}

export function controllerConfig(config: NodeConfig): ControllerConfig {
  return {
    brokerHeartbeatIntervalMs: config.integer('broker.heartbeat.interval.ms'),
    brokerSessionTimeoutMs: config.integer('broker.session.timeout.ms'),
    brokerDisconnectGraceMs: config.integer('broker.disconnect.grace.ms'),
    metadataMaxIdleIntervalMs: config.integer('metadata.max.idle.interval.ms'),
    requestTimeoutMs: config.integer('request.timeout.ms'),
    numPartitions: config.integer('num.partitions'),
    defaultReplicationFactor: config.integer('default.replication.factor'),
    deleteTopicEnable: config.boolean('delete.topic.enable'),
    staticConfig: config.explicit,
  };
}

export interface BrokerParts {
  readonly config: NodeConfig;
  readonly identity: StorageIdentity;
  readonly directories: readonly DataDirectory[];
  readonly environment: Environment;
  readonly raft: RaftNode;
  readonly transport: Transport;
}

export function brokerOptions({
  config,
  identity,
  directories,
  environment,
  raft,
  transport,
}: BrokerParts): BrokerOptions {
  const endpoints = new Map(config.voters.map((voter) => [voter.id, voter.endpoint]));
  const listeners: BrokerListener[] = [];
  if (config.advertised.CLIENT !== undefined) listeners.push({ name: 'client', ...config.advertised.CLIENT });
  if (config.advertised.REPLICA !== undefined)
    listeners.push({ name: 'replica', ...config.advertised.REPLICA });
  return {
    nodeId: config.nodeId,
    clusterId: identity.clusterId,
    ...(config.rack === undefined ? {} : { rack: config.rack }),
    config: brokerConfig(config.explicit),
    environment,
    raft,
    transport,
    logs: { directories },
    listeners,
    controllerEndpoints: (id) => endpoints.get(id),
  };
}
