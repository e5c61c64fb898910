/** The composition of nodes and clusters from configuration. */
export { type ClusterPlan, layoutCluster, type NodePlan, portsFrom } from './cluster/layout.ts';
export {
  formatCluster,
  LocalCluster,
  type LocalClusterOptions,
  type NodeWorld,
} from './cluster/local-cluster.ts';
export { parseAddress } from './config/addresses.ts';
export { type NodeConfig, nodeConfigFrom } from './config/node-config.ts';
export {
  type ConfigValues,
  mergeValues,
  valuesFromArguments,
  valuesFromEnvironment,
  valuesFromFile,
} from './config/sources.ts';
export { type NodeOptions, type ServerNode, startNode } from './node.ts';
export { formatStorage } from './storage.ts';
