/**
 * The published test kit: real clusters inside a test process, simulated ones in virtual time, and a judge of what clients of a
 * cluster saw.
 */
export * from './checkers/index.ts';
export { FailingDisk } from './cluster/failing-disk.ts';
export type { ClusterClock } from './cluster/faults/cluster-clock.ts';
export type { Fault } from './cluster/faults/cluster-faults.ts';
export type { Drop, DropWhat, MethodName } from './cluster/faults/drops.ts';
export type { Place } from './cluster/faults/links.ts';
export { FillableDisk } from './cluster/fillable-disk.ts';
export type { ClusterNode, NodeEnd } from './cluster/node-worlds.ts';
export { type StartClusterOptions, startCluster, TestCluster } from './cluster/test-cluster.ts';
export { FAULT_KINDS, type FaultKind } from './sim/cluster/faults/index.ts';
export type { SimulatedTopic, SimulateOptions } from './sim/user/options.ts';
export {
  type Simulation,
  SimulationFailed,
  type SimulationMain,
  type Simulations,
  seeds,
  simulate,
  simulateMany,
} from './sim/user/simulate.ts';
export type { ProcessLife, ProcessMain, SimulatedProcess } from './sim/user/simulated-process.ts';
export type { SimulationWorld } from './sim/user/simulation-world.ts';
