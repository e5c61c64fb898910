/**
 * The plan of a local cluster: which nodes, where each listens and keeps its data. Pure; `quorate dev`, the demo and the
 * test kit all start from it. Brokers are 1, 2, …; controllers 101, 102, …, so that an id alone tells which is meant.
 */
import { type NodeId, StartupError } from '../../base/index.ts';
import { type Address, formatAddress } from '../../rpc/api/index.ts';

export interface ClusterPlan {
  readonly directory: string;
  readonly nodes: readonly NodePlan[];
  /** Client listeners of the brokers, comma separated. */
  readonly bootstrap: string;
}

export interface NodePlan {
  readonly id: NodeId;
  readonly role: 'broker' | 'controller';
  /** `broker-1`, `controller-101`. */
  readonly name: string;
  /** The first of {@link directories}. */
  readonly directory: string;
  /** Where it keeps its data; brokers have several when asked for. */
  readonly directories: readonly string[];
  readonly listeners: Readonly<Record<string, Address>>;
  /** Configuration, as in a file of the node. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface LayoutOptions {
  readonly directory: string;
  readonly controllers: number;
  readonly brokers: number;
  readonly host: string;
  /** One port per broker for clients, one per broker for replicas, one per controller, in this order. */
  readonly ports: readonly number[];
  /** Data directories of each broker. Default: 1. */
  readonly logDirs?: number;
  /** Keys for every node, over the plan's own. */
  readonly settings: Readonly<Record<string, string>>;
}

export const FIRST_CONTROLLER_ID = 101;
export const NODES_MAX = 99;

/** Ports for {@link LayoutOptions.ports} counted up from `base`: clients first, then replicas, then controllers. */
export function portsFrom(base: number, controllers: number, brokers: number): number[] {
  return Array.from({ length: 2 * brokers + controllers }, (_, index) => base + index);
}

export function layoutCluster(options: LayoutOptions): ClusterPlan {
  checkCounts(options);
  const { brokers, controllers, host, ports } = options;
  const address = (index: number): Address => ({ host, port: ports[index] ?? 0 });
  const controllerAddress = (index: number): Address => address(2 * brokers + index);
  const voters = Array.from(
    { length: controllers },
    (_, i) => `${FIRST_CONTROLLER_ID + i}@${formatAddress(controllerAddress(i))}`,
  ).join(',');
  // The first has the bare name, so that a cluster that was made with one can be given more.
  const directoriesOf = (role: NodePlan['role'], id: NodeId): string[] =>
    Array.from(
      { length: role === 'broker' ? (options.logDirs ?? 1) : 1 },
      (_, i) => `${options.directory}/${role}-${id}${i === 0 ? '' : `-disk-${i + 1}`}`,
    );
  const plan = (id: NodeId, role: NodePlan['role'], listeners: NodePlan['listeners']): NodePlan => ({
    id,
    role,
    name: `${role}-${id}`,
    directory: directoriesOf(role, id)[0] ?? '',
    directories: directoriesOf(role, id),
    listeners,
    settings: {
      'process.roles': role,
      'node.id': String(id),
      'controller.quorum.voters': voters,
      listeners: Object.entries(listeners)
        .map(([name, at]) => `${name}://${formatAddress(at)}`)
        .join(','),
      'log.dirs': directoriesOf(role, id).join(','),
      ...options.settings,
    },
  });
  const brokerPlans = Array.from({ length: brokers }, (_, i) =>
    plan(1 + i, 'broker', { CLIENT: address(i), REPLICA: address(brokers + i) }),
  );
  const controllerPlans = Array.from({ length: controllers }, (_, i) =>
    plan(FIRST_CONTROLLER_ID + i, 'controller', { CONTROLLER: controllerAddress(i) }),
  );
  return {
    directory: options.directory,
    nodes: [...controllerPlans, ...brokerPlans],
    bootstrap: Array.from({ length: brokers }, (_, i) => formatAddress(address(i))).join(','),
  };
}

function checkCounts({ controllers, brokers, ports }: LayoutOptions): void {
  for (const [what, count] of [
    ['controllers', controllers],
    ['brokers', brokers],
  ] as const) {
    if (!Number.isInteger(count) || count < 1 || count > NODES_MAX)
      throw new StartupError(`${what} must be from 1 to ${NODES_MAX}, not ${count}`);
  }
  const wrong = ports.find((port) => !Number.isInteger(port) || port < 0 || port > 65_535);
  if (wrong !== undefined) throw new StartupError(`port ${wrong} is outside 0 to 65535`);
}
