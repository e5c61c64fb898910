/** The published test kit: real clusters inside a test process, and a judge of what clients of a cluster saw. */
export * from './checkers/index.ts';
export { FailingDisk } from './cluster/failing-disk.ts';
export { FillableDisk } from './cluster/fillable-disk.ts';
export {
  type ClusterNode,
  type NodeEnd,
  type StartClusterOptions,
  startCluster,
  TestCluster,
} from './cluster/test-cluster.ts';
