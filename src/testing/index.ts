/** The published test kit: real clusters inside a test process. */
export { type StartClusterOptions, startCluster, TestCluster } from './cluster/test-cluster.ts';
