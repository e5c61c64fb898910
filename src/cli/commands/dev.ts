/** A whole cluster on this machine, in one process or one process per node. */
import process from 'node:process';
import type { Command } from 'commander';
import type { Uuid } from '../../base/index.ts';
import { formatAddress } from '../../rpc/api/index.ts';
import { type ClusterPlan, formatCluster } from '../../server/index.ts';
import { DEFAULT_DATA_DIRECTORY } from '../bootstrap.ts';
import { type ClusterDescription, writeClusterFile } from '../cluster-file.ts';
import { type DevOptions, lockDev, nodeFile, planDev, writeNodeFiles } from '../dev/dev-plan.ts';
import { NodeProcesses, type OnExit } from '../dev/node-processes.ts';
import { NodesHere } from '../dev/nodes-here.ts';
import { printWelcome } from '../dev/welcome.ts';
import { gather, wholeNumber } from '../options.ts';
import { fail, printJson, printLine, printNote } from '../output.ts';
import { onStopSignal } from '../signals.ts';
import { realWorld } from '../world.ts';

/** Something that runs, whichever way. */
interface Running {
  pidOf(id: number): number;
  stop(): Promise<void>;
}

export function defineDev(command: Command): void {
  command
    .option('--controllers <n>', 'controllers (default: 3)', wholeNumber(1))
    .option('--brokers <n>', 'brokers (default: 3)', wholeNumber(1))
    .option(
      '--data-dir <directory>',
      'where everything is kept',
      process.env.QUORATE_DATA_DIR ?? DEFAULT_DATA_DIRECTORY,
    )
    .option('--port <n>', 'first port, the others follow; 0: any free ones (default: 9092)', wholeNumber(0))
    .option('--host <host>', 'where to listen', '127.0.0.1')
    .option('--processes', 'one process per node')
    .option('--set <key=value>', 'configuration of every node, may be repeated', gather)
    .option('--json', 'one JSON object when everything is ready')
    .action(async (options: DevOptions) => {
      try {
        await dev(options);
      } catch (error) {
        fail(error, options.json === true);
      }
    });
}

async function dev(options: DevOptions): Promise<void> {
  const { environment } = realWorld({ logLevel: 'warn' });
  const { plan, existed } = await planDev(options, environment);
  const lock = await lockDev(plan, environment);
  await writeNodeFiles(plan, environment);
  const clusterId = await formatCluster(plan, environment);
  const running = await startNodes(plan, options.processes === true);
  const stopped = onStopSignal(async () => {
    if (!options.json) printLine('\nstopping …');
    await running.stop();
    await lock.release();
  });
  const cluster = describe(plan, clusterId, running);
  await writeClusterFile(environment.files, plan.directory, cluster);
  if (options.json) printJson(cluster);
  else printWelcome(cluster, { existed, processes: options.processes === true, directory: plan.directory });
  await stopped;
  process.exit(0);
}

/** A node that dies is reported and left dead: whoever kills nodes on purpose wants to see it. */
async function startNodes(plan: ClusterPlan, processes: boolean): Promise<Running> {
  const sayEnded: OnExit = (node, how) => {
    const command = `quorate server --config ${nodeFile(node.directory)}`;
    printNote(`${node.name} ended (${how}); the others go on. Start it again with: ${command}`);
  };
  const nodes = processes ? new NodeProcesses(plan, sayEnded) : new NodesHere(plan, sayEnded);
  try {
    await nodes.start();
  } catch (error) {
    await nodes.stop();
    throw error;
  }
  return nodes;
}

function describe(plan: ClusterPlan, clusterId: Uuid, running: Running): ClusterDescription {
  const controllers = plan.nodes.filter((node) => node.role === 'controller');
  return {
    clusterId,
    readyMs: Math.round(performance.now()),
    bootstrap: plan.bootstrap,
    controllers: controllers.map((node) => Object.values(node.listeners).map(formatAddress).join()).join(','),
    nodes: plan.nodes.map((node) => ({
      id: node.id,
      roles: [node.role],
      pid: running.pidOf(node.id),
      listeners: Object.fromEntries(
        Object.entries(node.listeners).map(([name, address]) => [name, formatAddress(address)]),
      ),
      dataDir: node.directory,
    })),
  };
}
