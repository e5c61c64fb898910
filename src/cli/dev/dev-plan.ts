/** What `quorate dev` runs: the plan of a new cluster, or of the one that the data directory holds. */
import { resolve } from 'node:path';
import { EnvironmentError, StartupError } from '../../base/index.ts';
import { type Environment, type FileLock, replaceFile } from '../../env/index.ts';
import { freePorts } from '../../env/node/index.ts';
import { type ClusterPlan, layoutCluster, parseAddress, portsFrom } from '../../server/index.ts';
import { type ClusterDescription, readClusterFile } from '../cluster-file.ts';
import { counted } from '../output.ts';

export interface DevOptions {
  readonly controllers?: number;
  readonly brokers?: number;
  readonly dataDir: string;
  readonly port?: number;
  readonly host: string;
  readonly processes?: boolean;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

export interface DevPlan {
  readonly plan: ClusterPlan;
  /** The directory held a cluster before. */
  readonly existed: boolean;
}

const DEFAULT_CONTROLLERS = 3;
const DEFAULT_BROKERS = 3;
const DEFAULT_PORT = 9092;

export async function planDev(options: DevOptions, { files }: Environment): Promise<DevPlan> {
  const directory = resolve(options.dataDir);
  const before = await readClusterFile(files, directory);
  const controllers = options.controllers ?? countOf(before, 'controller') ?? DEFAULT_CONTROLLERS;
  const brokers = options.brokers ?? countOf(before, 'broker') ?? DEFAULT_BROKERS;
  const had = countOf(before, 'controller');
  if (had !== undefined && had !== controllers)
    throw new StartupError(
      `${directory} holds a cluster with ${counted(had, 'controller')}; start it without --controllers, or use another --data-dir`,
    );
  const plan = layoutCluster({
    directory,
    controllers,
    brokers,
    host: options.host,
    ports: await choosePorts(options.port, before, { controllers, brokers }),
    settings: { 'log.level': 'warn', ...settingsOf(options.set ?? []) },
  });
  return { plan, existed: before !== undefined };
}

/** Only one `dev` at a time may run a data directory; the second is told where the first is. */
export async function lockDev(plan: ClusterPlan, { files }: Environment): Promise<FileLock> {
  await files.makeDirectory(plan.directory);
  try {
    return await files.lock(`${plan.directory}/dev.lock`);
  } catch (error) {
    if (!(error instanceof EnvironmentError) || error.reason !== 'locked') throw error;
    const running = await readClusterFile(files, plan.directory);
    const where = running === undefined ? '' : ` at ${running.bootstrap}`;
    throw new StartupError(
      `a cluster runs already in ${plan.directory}${where}: stop it first, or use another --data-dir and --port`,
    );
  }
}

/** A configuration file for each node, so that one can be started by itself with `quorate server`. */
export async function writeNodeFiles(plan: ClusterPlan, { files }: Environment): Promise<void> {
  for (const node of plan.nodes) {
    const lines = Object.entries(node.settings).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
    await files.makeDirectory(node.directory);
    await replaceFile(files, nodeFile(node.directory), Buffer.from(`${lines.join('\n')}\n`));
  }
}

export function nodeFile(directory: string): string {
  return `${directory}/server.yaml`;
}

function countOf(cluster: ClusterDescription | undefined, role: string): number | undefined {
  return cluster?.nodes.filter((node) => node.roles.includes(role)).length;
}

interface Counts {
  readonly controllers: number;
  readonly brokers: number;
}

/** 0 asks for any free ones. A cluster that was there before keeps those it had, when there are as many nodes. */
async function choosePorts(
  first: number | undefined,
  before: ClusterDescription | undefined,
  { controllers, brokers }: Counts,
): Promise<readonly number[]> {
  const count = 2 * brokers + controllers;
  if (first === 0) return freePorts(count);
  if (first !== undefined) return portsFrom(first, controllers, brokers);
  const had = before === undefined ? [] : portsOf(before);
  return had.length === count ? had : portsFrom(had[0] ?? DEFAULT_PORT, controllers, brokers);
}

/** In the order of a layout. */
function portsOf({ nodes }: ClusterDescription): number[] {
  return ['CLIENT', 'REPLICA', 'CONTROLLER'].flatMap((name) =>
    nodes
      .toSorted((a, b) => a.id - b.id)
      .map((node) => node.listeners[name])
      .filter((address) => address !== undefined)
      .map((address) => parseAddress('cluster.json', address).port),
  );
}

function settingsOf(settings: readonly string[]): Record<string, string> {
  const result: Record<string, string> = {};
  for (const setting of settings) {
    const at = setting.indexOf('=');
    if (at <= 0) throw new StartupError(`--set takes key=value, not "${setting}"`);
    result[setting.slice(0, at)] = setting.slice(at + 1);
  }
  return result;
}
