/**
 * The home of a node, the directory of its metadata log: whose it is, and how a new one becomes somebody's.
 *
 * Formatting writes the quorum store first and `meta.properties` last: a directory with the latter is whole. One without
 * it was never used; a quorum store in it, of a start that was cut off, is taken as it is, with its identity. A new
 * directory always gets a new directory id, so that a member whose disk was lost comes back as a stranger, not as a voter
 * that forgot its votes; the quorum decides what a stranger may do (KIP-853).
 */
import { EnvironmentError, type NodeId, randomUuid, StartupError, type Uuid } from '../base/index.ts';
import {
  assertMetaProperties,
  type Environment,
  makeDurableDirectory,
  readMetaProperties,
  sleep,
  writeMetaProperties,
} from '../env/index.ts';
import type { DataDirectory } from '../log/index.ts';
import type { RaftNode, VoterKey } from '../raft/index.ts';
import { formatQuorumStore, openQuorumStore, type QuorumStore } from '../raft/store/index.ts';
import type { Transport } from '../rpc/api/index.ts';
import type { NodeConfig } from './config/node-config.ts';
import {
  clusterOf,
  type FoundDirectory,
  inspectDirectories,
  refuseForeignFiles,
  settleDirectories,
} from './data-directories.ts';
import { whenLeaderKnown } from './leader-known.ts';

export interface StorageIdentity {
  readonly clusterId: Uuid;
  readonly directoryId: Uuid;
}

/** Pause between two rounds of asking the controllers for the cluster id, and the patience with one of them. */
const ASK_PAUSE_MS = 50;
const ASK_TIMEOUT_MS = 1000;
/** Pause between two looks whether a new quorum has agreed on its id. */
const AGREEMENT_POLL_MS = 10;

/** Where the metadata log of a node lies. */
export function quorumDirectory(config: NodeConfig): string {
  return `${config.homeDirectory}/__cluster_metadata-0`;
}

export interface FormatOptions {
  readonly clusterId: Uuid;
  readonly directoryId: Uuid;
  /** The whole voter set when it is known; empty: established by the quorum itself at its first start. */
  readonly voters: readonly VoterKey[];
}

/**
 * Makes new directories this node's, and gives them. StartupError when the home is somebody's already, or
 * another of them not this node's.
 */
export async function formatStorage(
  config: NodeConfig,
  environment: Environment,
  options: FormatOptions,
): Promise<DataDirectory[]> {
  const { clusterId, directoryId: homeId } = options;
  const found = await inspectDirectories({ ...config, clusterId }, environment.files);
  await formatHome(config, environment, options);
  const settled = await settleDirectories(found, { homeId, clusterId, nodeId: config.nodeId }, environment);
  for (const { failure } of settled) if (failure !== undefined) throw failure;
  const isApart = !settled.some(({ id }) => id === homeId);
  return isApart ? [{ path: config.homeDirectory, id: homeId }, ...settled] : settled;
}

async function formatHome(
  config: NodeConfig,
  { files, stores }: Environment,
  { clusterId, directoryId, voters }: FormatOptions,
): Promise<void> {
  await makeDurableDirectory(files, config.homeDirectory);
  const found = await readMetaProperties(files, config.homeDirectory);
  if (found !== undefined)
    throw new StartupError(
      `${config.homeDirectory} is formatted already, for node ${found.nodeId} of cluster ${found.clusterId}`,
    );
  const identity = { clusterId, directoryId, nodeId: config.nodeId };
  await formatQuorumStore({ directory: quorumDirectory(config), ...identity, voters, files, stores });
  await writeMetaProperties(files, config.homeDirectory, identity);
}

export interface OpenedStorage {
  readonly store: QuorumStore;
  readonly directoryId: Uuid;
  /** Absent: a new controller, whose quorum has yet to say; see {@link settleIdentity}. */
  readonly clusterId?: Uuid;
}

/**
 * Opens the store of the metadata log, formatting a home that is new. `found`: all data directories. StartupError says
 * what a person must do.
 */
export async function openStorage(
  config: NodeConfig,
  environment: Environment,
  transport: Transport,
  found: readonly FoundDirectory[],
): Promise<OpenedStorage> {
  const { files } = environment;
  const directory = config.homeDirectory;
  const expected = expectedIdentity(config, config.clusterId);
  const meta = await readMetaProperties(files, directory);
  if (meta === undefined) return openNewHome(config, environment, transport, clusterOf(found));
  assertMetaProperties(directory, meta, expected);
  const store = await openStore(config, environment);
  if (store === undefined)
    throw new StartupError(
      `${quorumDirectory(config)} is missing although ${directory} is formatted: the metadata log of node ` +
        `${config.nodeId} is lost. Restore it, or move ${directory} aside and start the node with a new one`,
    );
  const { identity } = store;
  if (identity.directoryId === meta.directoryId && identity.nodeId === meta.nodeId) return { store, ...meta };
  await store.close();
  throw new StartupError(
    `${directory}/meta.properties is of node ${meta.nodeId} with directory.id ${meta.directoryId}, but the metadata log ` +
      `beside it of node ${identity.nodeId} with ${identity.directoryId}: one of them is not what it was; restore it, or ` +
      `move ${directory} aside and start the node with a new one`,
  );
}

/** Nobody's by its meta.properties; it may have a store, of a start that was cut off before that was written. */
async function openNewHome(
  config: NodeConfig,
  environment: Environment,
  transport: Transport,
  clusterOfOthers: Uuid | undefined,
): Promise<OpenedStorage> {
  const { files, random } = environment;
  const { homeDirectory } = config;
  await refuseForeignFiles(homeDirectory, files);
  const known = config.clusterId ?? clusterOfOthers;
  if (config.isController) return openNewController(config, environment, known);
  let store = await openStore(config, environment);
  if (store === undefined) {
    const clusterId = known ?? (await learnClusterId(config, environment, transport));
    await formatHome(config, environment, { clusterId, directoryId: randomUuid(random), voters: [] });
    store = await openStore(config, environment);
    if (store === undefined) throw new StartupError(`${quorumDirectory(config)} vanished`);
  } else {
    try {
      assertMetaProperties(homeDirectory, store.identity, expectedIdentity(config, known));
      await writeMetaProperties(files, homeDirectory, store.identity);
    } catch (error) {
      await store.close();
      throw error;
    }
  }
  return { store, ...store.identity };
}

function expectedIdentity({ nodeId }: NodeConfig, clusterId: Uuid | undefined) {
  return { nodeId, ...(clusterId === undefined ? {} : { clusterId }) };
}

/** Resolves when it is certain which cluster the node belongs to; the directory says so from then on. */
export async function settleIdentity(
  config: NodeConfig,
  environment: Environment,
  opened: OpenedStorage,
  raft: RaftNode,
): Promise<StorageIdentity> {
  const { directoryId, clusterId } = opened;
  if (clusterId !== undefined) return { directoryId, clusterId };
  while (raft.status().clusterId === '') await sleep(environment.timers, AGREEMENT_POLL_MS);
  const identity = { directoryId, clusterId: raft.status().clusterId };
  if (config.clusterId !== undefined && config.clusterId !== identity.clusterId) {
    // The others still need this voter to found the quorum: it leaves when they have.
    await whenLeaderKnown(raft);
    assertSameCluster(config, config.clusterId, identity.clusterId);
  }
  await writeMetaProperties(environment.files, config.homeDirectory, { ...identity, nodeId: config.nodeId });
  environment.logger.info({ directory: config.homeDirectory, ...identity }, 'formatted a new data directory');
  return identity;
}

/** Voters that were given different ids agree on one of them; whoever was given another must not go on. */
export function assertSameCluster(config: NodeConfig, given: Uuid, agreed: Uuid): void {
  if (agreed === '' || agreed === given) return;
  throw new StartupError(
    `node ${config.nodeId} was given cluster.id ${given}, but its quorum belongs to cluster ${agreed}; ` +
      `give all nodes the same cluster.id, and this one a new data directory in place of ${config.homeDirectory}`,
  );
}

/** With an id of its own as a proposal; which of them counts, the quorum decides (see raft/core/bootstrap). */
async function openNewController(
  config: NodeConfig,
  environment: Environment,
  known: Uuid | undefined,
): Promise<OpenedStorage> {
  const { files, stores, random } = environment;
  let store = await openStore(config, environment);
  if (store === undefined) {
    const identity = { clusterId: known ?? randomUuid(random), directoryId: randomUuid(random) };
    const { nodeId } = config;
    await formatQuorumStore({
      directory: quorumDirectory(config),
      ...identity,
      nodeId,
      voters: [],
      files,
      stores,
    });
    store = await openStore(config, environment);
  }
  if (store === undefined) throw new StartupError(`${quorumDirectory(config)} vanished`);
  return { store, directoryId: store.identity.directoryId };
}

/** Undefined: never formatted. */
async function openStore(
  config: NodeConfig,
  { files, stores }: Environment,
): Promise<QuorumStore | undefined> {
  const opening = await openQuorumStore({ directory: quorumDirectory(config), files, stores });
  if (opening.kind === 'quarantined')
    throw new StartupError(`node ${config.nodeId} is in quarantine: ${opening.reason}; ${opening.wayOut}`);
  return opening.kind === 'open' ? opening.store : undefined;
}

/** The id of the cluster a broker is to join: what the first controller says whose quorum is established. */
async function learnClusterId(
  config: NodeConfig,
  environment: Environment,
  transport: Transport,
): Promise<Uuid> {
  const { voters, nodeId } = config;
  for (let round = 0; ; round++) {
    const answers = await Promise.all(voters.map((voter) => askClusterId(nodeId, voter.endpoint, transport)));
    const known = answers.find((answer) => answer !== '');
    if (known !== undefined) return known;
    if (round === 0)
      environment.logger.info(
        { controllers: voters.map((voter) => voter.id) },
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
      { voter: { id: nodeId, directoryId: '' }, founders: [] },
      { timeoutMs: ASK_TIMEOUT_MS },
    );
    // Before that, an id is a proposal only.
    return reply.voters.length > 0 ? reply.clusterId : '';
  } catch (error) {
    if (error instanceof EnvironmentError) return '';
    throw error;
  } finally {
    connection.close();
  }
}
