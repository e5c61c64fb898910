/** The published test kit: real clusters inside a test process. */
export { FillableDisk } from './cluster/fillable-disk.ts';
export {
  type ClusterNode,
  type NodeEnd,
  type StartClusterOptions,
  startCluster,
  TestCluster,
} from './cluster/test-cluster.ts';
