/** `--config`, the environment and `--set`, read into the configuration of a node. */
import { env } from 'node:process';
import type { Command } from 'commander';
import { StartupError } from '../base/index.ts';
import { readWholeFile } from '../env/index.ts';
import { nodeFiles } from '../env/node/index.ts';
import {
  mergeValues,
  type NodeConfig,
  nodeConfigFrom,
  valuesFromArguments,
  valuesFromEnvironment,
  valuesFromFile,
} from '../server/index.ts';
import { gather } from './options.ts';

export interface NodeCommandOptions {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

export function withNodeOptions(command: Command): Command {
  return command
    .option('--config <file>', 'YAML or JSON (QUORATE_CONFIG)')
    .option('--set <key=value>', 'overrides a key, may be repeated', gather)
    .option('--json', 'one JSON object a line');
}

export async function readNodeConfig(options: NodeCommandOptions): Promise<NodeConfig> {
  const path = options.config ?? env.QUORATE_CONFIG;
  const file = path === undefined ? new Map() : valuesFromFile(await textOf(path), path);
  return nodeConfigFrom(
    mergeValues(file, valuesFromEnvironment(env), valuesFromArguments(options.set ?? [])),
  );
}

async function textOf(path: string): Promise<string> {
  const bytes = await readWholeFile(nodeFiles(), path);
  if (bytes === undefined) throw new StartupError(`there is no file ${path}`);
  return Buffer.from(bytes).toString();
}
