/** One node as a process. Ends by SIGINT or SIGTERM, gracefully; a second signal ends it at once. */
import { flushCompileCache } from 'node:module';
import process from 'node:process';
import type { Command } from 'commander';
import type { Metrics } from '../../env/index.ts';
import { openMetricsEndpoint } from '../../env/node/index.ts';
import { formatAddress } from '../../rpc/api/index.ts';
import { type NodeConfig, parseAddress, type ServerNode, startNode } from '../../server/index.ts';
import { type NodeCommandOptions, readNodeConfig, withNodeOptions } from '../node-options.ts';
import { fail, printJson, printLine } from '../output.ts';
import { onStopSignal } from '../signals.ts';
import { realWorld } from '../world.ts';

export function defineServer(command: Command): void {
  withNodeOptions(command).action(async (options: NodeCommandOptions) => {
    try {
      await serve(await readNodeConfig(options), options.json === true);
    } catch (error) {
      fail(error, options.json === true);
    }
  });
}

async function serve(config: NodeConfig, json: boolean): Promise<void> {
  endWithParent();
  const metrics = await openMetrics(config);
  const node = await startNode({ config, ...realWorld({ logLevel: config.text('log.level'), ...metrics }) });
  const stopped = onStopSignal(() => node.stop({ controlled: true }));
  await Promise.race([node.ready, stopped]);
  announce(node, config, json);
  // Otherwise it is written when a process ends, and one that is killed would leave its successor to compile all again.
  flushCompileCache();
  await stopped;
  process.exit(0);
}

/** Figures, when the configuration names a place for them. */
async function openMetrics(config: NodeConfig): Promise<{ readonly metrics?: Metrics }> {
  const listener = config.text('metrics.listener');
  if (listener === '') return {};
  const address = parseAddress('metrics.listener', listener);
  return openMetricsEndpoint(address, { node: String(config.nodeId) });
}

/** Also when the parent ends while this node starts, or ended before: nobody would stop it then. */
function endWithParent(): void {
  const end = (): boolean => process.kill(process.pid, 'SIGTERM');
  if (process.connected === false) end();
  else process.once('disconnect', end);
}

/** One line when it serves; a parent process is told as well. */
function announce(node: ServerNode, config: NodeConfig, json: boolean): void {
  const listeners = Object.fromEntries(
    Object.entries(config.advertised).map(([name, address]) => [name, formatAddress(address)]),
  );
  const roles = [...(config.isBroker ? ['broker'] : []), ...(config.isController ? ['controller'] : [])];
  const { clusterId } = node.identity;
  if (json)
    printJson({
      ready: true,
      node_id: config.nodeId,
      roles,
      cluster_id: clusterId,
      listeners,
      pid: process.pid,
    });
  else
    printLine(
      `${roles.join(' and ')} ${config.nodeId} of cluster ${clusterId} is ready: ` +
        `${Object.values(listeners).join(', ')}, data in ${config.logDirectories.join(', ')}`,
    );
  process.send?.({ ready: config.nodeId });
}
