/** Asks the node of this configuration, on its own listener, whether it serves: for a container's health check. */
import type { Command } from 'commander';
import { StartupError } from '../../base/index.ts';
import type { NodeConfig } from '../../server/index.ts';
import { type NodeCommandOptions, readNodeConfig, withNodeOptions } from '../node-options.ts';
import { fail, printJson, printLine } from '../output.ts';
import { realWorld } from '../world.ts';

const TIMEOUT_MS = 2000;

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
  const address = config.advertised.CLIENT ?? config.advertised.CONTROLLER;
  if (address === undefined) throw new StartupError('the node has no listener');
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
