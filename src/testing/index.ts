/** The published test kit: real clusters inside a test process. */
export { FailingDisk } from './cluster/failing-disk.ts';
export { FillableDisk } from './cluster/fillable-disk.ts';
export {
  type ClusterNode,
  type NodeEnd,
  type StartClusterOptions,
  startCluster,
  TestCluster,
} from './cluster/test-cluster.ts';
