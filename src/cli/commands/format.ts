import type { Command } from 'commander';
import { isUuid, randomUuid, StartupError } from '../../base/index.ts';
import type { VoterKey } from '../../raft/core/messages.ts';
import { formatStorage, type NodeConfig } from '../../server/index.ts';
import { type NodeCommandOptions, readNodeConfig, withNodeOptions } from '../node-options.ts';
import { fail, printJson, printLine } from '../output.ts';
import { realWorld } from '../world.ts';

interface FormatCommandOptions extends NodeCommandOptions {
  readonly clusterId?: string;
  readonly directoryId?: string;
  readonly initialControllers?: string;
}

export function defineFormat(command: Command): void {
  withNodeOptions(command)
    .option('--cluster-id <id>', 'of the cluster; default: a new one')
    .option('--directory-id <id>', 'of this directory; default: a new one')
    .option('--initial-controllers <id:directory,…>', 'the whole first voter set, the same on each of them')
    .action(async (options: FormatCommandOptions) => {
      try {
        await format(await readNodeConfig(options), options);
      } catch (error) {
        fail(error, options.json === true);
      }
    });
}

async function format(config: NodeConfig, options: FormatCommandOptions): Promise<void> {
  const { environment } = realWorld({ logLevel: 'silent' });
  const voters = initialVoters(options.initialControllers);
  const own = voters.find((voter) => voter.id === config.nodeId)?.directoryId;
  const identity = {
    clusterId: uuid('--cluster-id', options.clusterId ?? config.clusterId ?? randomUuid(environment.random)),
    directoryId: uuid('--directory-id', options.directoryId ?? own ?? randomUuid(environment.random)),
  };
  if (own !== undefined && own !== identity.directoryId)
    throw new StartupError(
      `--initial-controllers gives node ${config.nodeId} the directory ${own}, not ${identity.directoryId}`,
    );
  const directories = await formatStorage(config, environment, { ...identity, voters });
  const { clusterId, directoryId } = identity;
  const { nodeId } = config;
  if (options.json)
    printJson({ node_id: nodeId, cluster_id: clusterId, directory_id: directoryId, directories });
  else
    for (const { path, id } of directories)
      printLine(`Formatted ${path}: node ${nodeId}, cluster ${clusterId}, directory ${id}.`);
}

function initialVoters(text: string | undefined): VoterKey[] {
  if (text === undefined) return [];
  return text.split(',').map((word) => {
    const [id, directoryId] = word.split(':');
    if (id === undefined || directoryId === undefined || !/^\d+$/.test(id))
      throw new StartupError(`--initial-controllers: "${word}" is not id:directory-id`);
    return { id: Number(id), directoryId: uuid('--initial-controllers', directoryId) };
  });
}

function uuid(option: string, text: string): string {
  if (!isUuid(text))
    throw new StartupError(`${option}: "${text}" is not an id of 22 characters of base64url`);
  return text;
}
