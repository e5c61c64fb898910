/** Where the nodes of a simulated cluster listen and keep their data. Every node is a host of its own. */
import type { NodeId } from '../../../base/index.ts';
import { type NodeConfig, nodeConfigFrom, valuesFromArguments } from '../../../server/index.ts';
import type { ClusterSimOptions } from './options.ts';

export interface MachinePlan {
  readonly id: NodeId;
  readonly role: 'broker' | 'controller';
  /** `broker-1`, `controller-101`: its name in the network. */
  readonly name: string;
  readonly config: NodeConfig;
}

/** The first is the node's home. */
const DIRECTORIES = ['/data', '/data2', '/data3'];
const FIRST_CONTROLLER_ID = 101;

export function planMachines(options: ClusterSimOptions): MachinePlan[] {
  const controllers = Array.from({ length: options.controllers }, (_, i) => FIRST_CONTROLLER_ID + i);
  const voters = controllers.map((id) => `${id}@controller-${id}:9093`).join(',');
  const plan = (id: NodeId, role: MachinePlan['role'], listeners: string): MachinePlan => {
    const settings = {
      'process.roles': role,
      'node.id': String(id),
      'controller.quorum.voters': voters,
      listeners,
      'log.dirs': DIRECTORIES.slice(0, role === 'broker' ? (options.directories?.[id - 1] ?? 1) : 1).join(
        ',',
      ),
      ...options.settings,
    };
    const words = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
    return { id, role, name: `${role}-${id}`, config: nodeConfigFrom(valuesFromArguments(words)) };
  };
  const brokers = Array.from({ length: options.brokers }, (_, i) => i + 1);
  return [
    ...controllers.map((id) => plan(id, 'controller', `CONTROLLER://controller-${id}:9093`)),
    ...brokers.map((id) => plan(id, 'broker', `CLIENT://broker-${id}:9092,REPLICA://broker-${id}:9192`)),
  ];
}

export function bootstrapOf(machines: readonly MachinePlan[]): string {
  return machines
    .filter(({ role }) => role === 'broker')
    .map(({ name }) => `${name}:9092`)
    .join(',');
}
