import type { Command } from 'commander';
import { type DescribeClusterReply, formatAddress } from '../../rpc/api/index.ts';
import { type CommonOptions, withClient, withCommonOptions } from '../options.ts';
import { printJson, printLine, printTable } from '../output.ts';

export function defineCluster(group: Command): void {
  withCommonOptions(group.command('describe'))
    .description('brokers, controllers, and the digest of the metadata')
    .action((options: CommonOptions) =>
      withClient(options, async (client) => {
        const cluster = await client.admin.describeCluster();
        if (options.json) printJson(clusterJson(cluster));
        else printCluster(cluster);
      }),
    );
}

function printCluster(cluster: DescribeClusterReply): void {
  printLine(`Cluster: ${cluster.clusterId}`);
  printLine(`Metadata: offset ${cluster.digest.offset}, digest ${cluster.digest.digest}`);
  printLine();
  printTable(
    ['NODE', 'ROLE', 'ADDRESS', 'STATE', 'LEADERS', 'REPLICAS'],
    [
      ...cluster.controllers.map(({ nodeId, address, active }) => [
        nodeId,
        'controller',
        formatAddress(address),
        active ? 'active' : 'standby',
        '-',
        '-',
      ]),
      ...cluster.brokers.map((broker) => [
        broker.nodeId,
        'broker',
        formatAddress(broker.address),
        broker.fenced ? 'fenced' : broker.inControlledShutdown ? 'stopping' : 'alive',
        broker.leaders,
        broker.replicas,
      ]),
    ],
  );
}

function clusterJson(cluster: DescribeClusterReply): Record<string, unknown> {
  return {
    cluster_id: cluster.clusterId,
    controller_id: cluster.controllerId,
    digest: { offset: cluster.digest.offset, digest: cluster.digest.digest },
    brokers: cluster.brokers.map((broker) => ({
      node_id: broker.nodeId,
      address: formatAddress(broker.address),
      rack: broker.rack,
      fenced: broker.fenced,
      in_controlled_shutdown: broker.inControlledShutdown,
      leaders: broker.leaders,
      replicas: broker.replicas,
    })),
    controllers: cluster.controllers.map(({ nodeId, address, active }) => ({
      node_id: nodeId,
      address: formatAddress(address),
      active,
    })),
  };
}
