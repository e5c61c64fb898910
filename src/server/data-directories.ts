/**
 * The data directories of a node: whose each is, and how a new one becomes the node's.
 *
 * One of them is its home: its id is the one the quorum knows the node by, the lock of the node lies there, and the
 * metadata log. It is metadata.log.dir, else the first of log.dirs. Without its home a node does not start. Each of the
 * others holds logs and nothing else; one that cannot be read, or that does not say whose it is, is offline, and the broker
 * serves what is in the rest.
 *
 * Law: no directory is used unless all that can be read are of one cluster and one node, and no two that hold logs have the
 * same id. A directory without meta.properties and without logs is new: it gets an id of its own, so that what the metadata
 * say of another is never said of it. Source: KIP-112, KIP-858; Kafka's MetaPropertiesEnsemble.
 */
import { EnvironmentError, randomUuid, StartupError, type Uuid } from '../base/index.ts';
import {
  assertMetaProperties,
  type Environment,
  type Files,
  type MetaProperties,
  makeDurableDirectory,
  readMetaProperties,
  writeMetaProperties,
} from '../env/index.ts';
import type { DataDirectory } from '../log/index.ts';
import type { NodeConfig } from './config/node-config.ts';

/** A data directory as it was found. Without `meta` and `failure` it is new. */
export interface FoundDirectory {
  readonly path: string;
  readonly isHome: boolean;
  /** False: a home that is none of log.dirs. */
  readonly holdsLogs: boolean;
  readonly meta?: MetaProperties;
  /** Why it cannot be used. Never of the home. */
  readonly failure?: EnvironmentError | StartupError;
}

/** Held while a directory is made somebody's. */
const LOCK_NAME = '.lock';

/**
 * Reads whose each of the directories is, the home and those of the configuration in their order, and writes nothing.
 * StartupError names both when two do not belong together. EnvironmentError or StartupError when the home cannot be read.
 */
export async function inspectDirectories(config: NodeConfig, files: Files): Promise<FoundDirectory[]> {
  const { homeDirectory, logDirectories, nodeId, clusterId } = config;
  const paths = logDirectories.includes(homeDirectory) ? logDirectories : [homeDirectory, ...logDirectories];
  const found = await Promise.all(
    paths.map(async (path): Promise<FoundDirectory> => {
      const place = { path, isHome: path === homeDirectory, holdsLogs: logDirectories.includes(path) };
      return { ...place, ...(await inspect(path, files)) };
    }),
  );
  const unusable = found.find(({ isHome, failure }) => isHome && failure !== undefined)?.failure;
  if (unusable !== undefined) throw unusable;
  for (const { path, meta } of found)
    if (meta !== undefined)
      assertMetaProperties(path, meta, { nodeId, ...(clusterId === undefined ? {} : { clusterId }) });
  assertBelongTogether(found);
  return found;
}

/** The cluster that the directories belong to; undefined: all of them are new. */
export function clusterOf(found: readonly FoundDirectory[]): Uuid | undefined {
  return found.find(({ meta }) => meta !== undefined)?.meta?.clusterId;
}

/**
 * Makes the new ones of the others this node's. Gives all that hold logs, in the order of the configuration. One that
 * cannot be formatted, or that holds logs and does not say whose, is offline. StartupError when one is of another cluster,
 * or in use.
 */
export async function settleDirectories(
  found: readonly FoundDirectory[],
  identity: Omit<MetaProperties, 'directoryId'> & { readonly homeId: Uuid },
  environment: Pick<Environment, 'files' | 'random' | 'logger'>,
): Promise<DataDirectory[]> {
  const { homeId, ...owner } = identity;
  const settled: DataDirectory[] = [];
  for (const { path, isHome, holdsLogs, meta, failure } of found) {
    if (!holdsLogs) continue;
    if (isHome) settled.push({ path, id: homeId });
    else if (failure !== undefined) settled.push({ path, failure });
    else if (meta === undefined) settled.push(await formatDirectory(path, owner, environment));
    else {
      assertMetaProperties(path, meta, owner);
      settled.push({ path, id: meta.directoryId });
    }
  }
  return settled;
}

/** StartupError when a directory without meta.properties holds data: something was lost or mixed up. */
export async function refuseForeignFiles(directory: string, files: Files): Promise<void> {
  const problem = await findForeignFiles(directory, files);
  if (problem !== undefined) throw new StartupError(problem);
}

async function findForeignFiles(directory: string, files: Files): Promise<string | undefined> {
  const names = (await files.stat(directory)) === undefined ? [] : await files.list(directory);
  const partition = names.find((name) => /-\d+$/.test(name) && name !== '__cluster_metadata-0');
  if (partition === undefined) return undefined;
  return `${directory} holds ${partition} but no meta.properties: restore the file, or move the directory aside`;
}

async function inspect(path: string, files: Files): Promise<Pick<FoundDirectory, 'meta' | 'failure'>> {
  try {
    const meta = await readMetaProperties(files, path);
    return meta === undefined ? {} : { meta };
  } catch (failure) {
    if (failure instanceof EnvironmentError || failure instanceof StartupError) return { failure };
    throw failure;
  }
}

function assertBelongTogether(found: readonly FoundDirectory[]): void {
  const known = found.flatMap(({ path, holdsLogs, meta }) =>
    meta === undefined ? [] : { path, holdsLogs, ...meta },
  );
  const [first, ...others] = known;
  const paths = new Map<Uuid, string>();
  for (const { path, holdsLogs, directoryId } of known) {
    const twin = paths.get(directoryId);
    if (twin !== undefined) throw sameDirectory(twin, path, directoryId);
    if (holdsLogs) paths.set(directoryId, path);
  }
  for (const other of others) {
    if (first === undefined || (first.clusterId === other.clusterId && first.nodeId === other.nodeId))
      continue;
    throw new StartupError(
      `${first.path} belongs to node ${first.nodeId} of cluster ${first.clusterId}, but ${other.path} to node ` +
        `${other.nodeId} of cluster ${other.clusterId}; take one of them out of log.dirs`,
    );
  }
}

function sameDirectory(path: string, twin: string, id: Uuid): StartupError {
  return new StartupError(
    `${path} and ${twin} have the same directory.id ${id}: one is a copy of the other, or both are one; name it once ` +
      'in log.dirs',
  );
}

async function formatDirectory(
  path: string,
  owner: Omit<MetaProperties, 'directoryId'>,
  environment: Pick<Environment, 'files' | 'random' | 'logger'>,
): Promise<DataDirectory> {
  const { files, random, logger } = environment;
  try {
    await makeDurableDirectory(files, path);
    const lock = await files.lock(`${path}/${LOCK_NAME}`);
    try {
      const problem = await findForeignFiles(path, files);
      if (problem !== undefined) return { path, failure: new StartupError(problem) };
      // Under another name it was formatted just now.
      const meta = await readMetaProperties(files, path);
      if (meta !== undefined) throw sameDirectory('another of log.dirs', path, meta.directoryId);
      const id = randomUuid(random);
      await writeMetaProperties(files, path, { ...owner, directoryId: id });
      logger.info({ directory: path, directoryId: id, ...owner }, 'formatted a new data directory');
      return { path, id };
    } finally {
      await lock.release();
    }
  } catch (failure) {
    if (!(failure instanceof EnvironmentError)) throw failure;
    if (failure.reason !== 'locked') return { path, failure };
    throw new StartupError(`${path} is in use: ${failure.message}; give this node another directory`);
  }
}
