/** A broker: follows the metadata log, keeps replicas of partitions, answers clients. */
export type { Broker, BrokerOptions, BrokerStatus, ReplicaView } from './broker.ts';
export { type BrokerConfig, brokerConfig } from './config.ts';
export type { QuorumView } from './controller/quorum-view.ts';
export { openBroker } from './open-broker.ts';
