/** A broker: follows the metadata log, keeps replicas of partitions, answers clients. */
export { type Broker, type BrokerOptions, type BrokerStatus, openBroker } from './broker.ts';
export { type BrokerConfig, brokerConfig } from './config.ts';
