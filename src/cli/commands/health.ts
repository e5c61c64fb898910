/** Asks the node of this configuration, on its own listener, whether it serves: for a container's health check. */
import type { Command } from 'commander';
import { StartupError } from '../../base/index.ts';
import type { NodeConfig } from '../../server/index.ts';
import { type NodeCommandOptions, readNodeConfig, withNodeOptions } from '../node-options.ts';
import { fail, printJson, printLine } from '../output.ts';
import { realWorld } from '../world.ts';

const TIMEOUT_MS = 2000;
/** Where to knock when a node listens everywhere; what it advertises need not be reachable from here. */
const ANY_HOST = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

export function defineHealth(command: Command): void {
  withNodeOptions(command).action(async (options: NodeCommandOptions) => {
    try {
      await ask(await readNodeConfig(options));
      if (options.json) printJson({ healthy: true });
      else printLine('healthy');
    } catch (error) {
      fail(error, options.json === true);
    }
  });
}

async function ask(config: NodeConfig): Promise<void> {
  const listener = config.listeners.CLIENT ?? config.listeners.CONTROLLER;
  if (listener === undefined) throw new StartupError('the node has no listener');
  const { host, port } = listener;
  const address = { host: ANY_HOST.get(host) ?? host, port };
  const { transport } = realWorld({ logLevel: 'silent' });
  const connection = transport.connect(address);
  try {
    const call = { timeoutMs: TIMEOUT_MS };
    if (config.isBroker) await connection.broker.metadata({ topics: [] }, call);
    else await connection.quorum.describeQuorum({}, call);
  } finally {
    await transport.close();
  }
}
