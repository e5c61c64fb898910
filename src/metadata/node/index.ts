export type { ControllerRaft } from './controller-machine.ts';
export { ControllerNode, type ControllerNodeOptions } from './controller-node.ts';
