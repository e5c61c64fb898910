/** Six nodes that were never started before: where they are, what they keep, what their disks are made of. */
import { mkdirSync } from 'node:fs';
import { writeNodeFiles } from '../../src/cli/dev/dev-plan.ts';
import { realWorld } from '../../src/cli/world.ts';
import { type ClusterPlan, layoutCluster } from '../../src/server/index.ts';
import { ShimmedDisk } from './disk/shim.ts';
import type { Machine } from './machine.ts';
import { Network } from './net/network.ts';
import { Nodes } from './nodes.ts';

export interface Cluster {
  readonly nodes: Nodes;
  readonly network: Network;
  readonly disks: ReadonlyMap<number, ShimmedDisk>;
}

const CONTROLLERS = 3;
const BROKERS = 3;

/** Nothing is formatted: each node makes its own data directory, so that its ledger begins with the first name. */
export async function createCluster(
  directory: string,
  machine: Machine,
  { seed, logLevel }: { readonly seed: number; readonly logLevel: string },
): Promise<Cluster> {
  const layout = layoutCluster({
    directory,
    controllers: CONTROLLERS,
    brokers: BROKERS,
    host: '0.0.0.0',
    ports: Array.from({ length: 2 * BROKERS + CONTROLLERS }, () => 0),
    settings: { 'log.level': logLevel, 'log.segment.bytes': String(2 ** 20) },
  });
  const network = await Network.create(machine.network, withDataApart(layout), seed);
  const { plan } = network;
  await writeNodeFiles(plan, realWorld({ logLevel: 'error' }).environment);
  const disks = new Map<number, ShimmedDisk>();
  if (machine.shim !== undefined)
    for (const { id, directory: home } of plan.nodes) {
      mkdirSync(home, { recursive: true });
      disks.set(id, new ShimmedDisk(machine.shim, home, `${home}.shim`));
    }
  const nodes = new Nodes({
    plan,
    launchOf: ({ id }) => {
      const { prefix, environment, nodeArguments } = network.placeOf(id);
      return { prefix, nodeArguments, environment: { ...environment, ...disks.get(id)?.environment() } };
    },
    onEnd: ({ id }) => disks.get(id)?.handleEnd(),
  });
  return { nodes, network, disks };
}

/** Data go to a directory that is not there yet, in the one with the node's configuration. */
function withDataApart(plan: ClusterPlan): ClusterPlan {
  const nodes = plan.nodes.map((node) => ({
    ...node,
    settings: { ...node.settings, 'log.dirs': `${node.directory}/data` },
  }));
  return { ...plan, nodes };
}
