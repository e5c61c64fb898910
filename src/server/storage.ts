/**
 * The data directory of a node: whose it is, and how a new one becomes somebody's.
 *
 * Formatting writes the quorum store first and `meta.properties` last: a directory with the latter is whole, one without
 * it was never used. A new directory always gets a new directory id, so that a member whose disk was lost comes back as
 * a stranger, not as a voter that forgot its votes; the quorum decides what a stranger may do (KIP-853).
 */
import { EnvironmentError, type NodeId, randomUuid, StartupError, type Uuid } from '../base/index.ts';
import {
  assertMetaProperties,
  type Environment,
  readMetaProperties,
  sleep,
  writeMetaProperties,
} from '../env/index.ts';
import type { VoterKey } from '../raft/index.ts';
import { formatQuorumStore, openQuorumStore, type QuorumStore } from '../raft/store/index.ts';
import type { Transport } from '../rpc/api/index.ts';
import type { NodeConfig } from './config/node-config.ts';

export interface StorageIdentity {
  readonly clusterId: Uuid;
  readonly directoryId: Uuid;
}

/** Pause between two rounds of asking the controllers for the cluster id, and the patience with one of them. */
const ASK_PAUSE_MS = 50;
const ASK_TIMEOUT_MS = 1000;

/** Where the metadata log of a node lies. */
export function quorumDirectory(config: NodeConfig): string {
  return `${config.metadataDirectory}/__cluster_metadata-0`;
}

export interface FormatOptions {
  readonly clusterId: Uuid;
  readonly directoryId: Uuid;
  /** The whole voter set when it is known; empty: established by the quorum itself at its first start. */
  readonly voters: readonly VoterKey[];
}

/** Makes a new directory this node's. StartupError when it is somebody's already. */
export async function formatStorage(
  config: NodeConfig,
  { files, stores }: Environment,
  { clusterId, directoryId, voters }: FormatOptions,
): Promise<void> {
  await files.makeDirectory(config.logDirectory);
  const found = await readMetaProperties(files, config.logDirectory);
  if (found !== undefined)
    throw new StartupError(
      `${config.logDirectory} is formatted already, for node ${found.nodeId} of cluster ${found.clusterId}`,
    );
  const identity = { clusterId, directoryId, nodeId: config.nodeId };
  await formatQuorumStore({ directory: quorumDirectory(config), ...identity, voters, files, stores });
  await writeMetaProperties(files, config.logDirectory, identity);
}

/** Opens the store of the metadata log, formatting a directory that is new. StartupError says what a person must do. */
export async function openStorage(
  config: NodeConfig,
  environment: Environment,
  transport: Transport,
): Promise<{ readonly identity: StorageIdentity; readonly store: QuorumStore }> {
  const { files, stores, logger } = environment;
  const directory = config.logDirectory;
  if ((await readMetaProperties(files, directory)) === undefined) {
    await refuseForeignFiles(config, environment);
    const clusterId = config.clusterId ?? (await learnClusterId(config, environment, transport));
    const directoryId = randomUuid(environment.random);
    await formatStorage(config, environment, { clusterId, directoryId, voters: [] });
    logger.info({ directory, clusterId, directoryId }, 'formatted a new data directory');
  }
  const meta = await readMetaProperties(files, directory);
  if (meta === undefined) throw new StartupError(`${directory}/meta.properties vanished`);
  assertMetaProperties(directory, meta, {
    nodeId: config.nodeId,
    ...(config.clusterId === undefined ? {} : { clusterId: config.clusterId }),
  });
  const opening = await openQuorumStore({ directory: quorumDirectory(config), files, stores });
  switch (opening.kind) {
    case 'open':
      return { identity: meta, store: opening.store };
    case 'empty':
      throw new StartupError(
        `${quorumDirectory(config)} is missing although ${directory} is formatted: the metadata log of node ` +
          `${config.nodeId} is lost. Restore it, or move ${directory} aside and start the node with a new one`,
      );
    case 'quarantined':
      throw new StartupError(`node ${config.nodeId} is in quarantine: ${opening.reason}; ${opening.wayOut}`);
  }
}

/** A directory without meta.properties that holds data is not new: something was lost or mixed up. */
async function refuseForeignFiles(config: NodeConfig, { files }: Environment): Promise<void> {
  const directory = config.logDirectory;
  const names = (await files.stat(directory)) === undefined ? [] : await files.list(directory);
  const partition = names.find((name) => /-\d+$/.test(name) && name !== '__cluster_metadata-0');
  if (partition !== undefined)
    throw new StartupError(
      `${directory} holds ${partition} but no meta.properties: restore the file, or move the directory aside`,
    );
}

/**
 * The id of the cluster this node is to join. Any controller that knows one is believed; the controller with the
 * lowest id makes one when nobody answers, and all others wait for it.
 */
async function learnClusterId(
  config: NodeConfig,
  environment: Environment,
  transport: Transport,
): Promise<Uuid> {
  const { voters, nodeId } = config;
  const others = voters.filter((voter) => voter.id !== nodeId);
  const proposes = config.isController && voters.every((voter) => nodeId <= voter.id);
  for (let round = 0; ; round++) {
    const answers = await Promise.all(others.map((voter) => askClusterId(nodeId, voter.endpoint, transport)));
    const known = answers.find((answer) => answer !== '');
    if (known !== undefined) return known;
    if (proposes) return randomUuid(environment.random);
    if (round === 0)
      environment.logger.info(
        { controllers: others.map((voter) => voter.id) },
        'waiting for a controller that knows the cluster id',
      );
    await sleep(environment.timers, ASK_PAUSE_MS);
  }
}

async function askClusterId(
  nodeId: NodeId,
  address: { readonly host: string; readonly port: number },
  transport: Transport,
): Promise<Uuid> {
  const connection = transport.connect(address);
  try {
    const reply = await connection.quorum.identify(
      { voter: { id: nodeId, directoryId: '' } },
      { timeoutMs: ASK_TIMEOUT_MS },
    );
    return reply.clusterId;
  } catch (error) {
    if (error instanceof EnvironmentError) return '';
    throw error;
  } finally {
    connection.close();
  }
}
