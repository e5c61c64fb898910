/**
 * The data directories of a node (`log.dirs`): whose each is, and how a new one becomes the node's.
 *
 * The first is the node's home: its id is the one the quorum knows the node by, the lock of the node lies there, and the
 * metadata log unless metadata.log.dir names another place. Without its home a node does not start. Each of the others
 * holds logs and nothing else; one that cannot be read is offline, and the broker serves what is in the rest.
 *
 * Law: no directory is used unless all that can be read are of one cluster and one node, and no two have the same id.
 * A directory without meta.properties is new: it gets an id of its own, so that what the metadata say of another
 * is never said of it. Source: KIP-112, KIP-858.
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

/** A data directory as it was found. Without both it is new. */
export interface FoundDirectory {
  readonly path: string;
  readonly meta?: MetaProperties;
  /** Why it cannot be read. */
  readonly failure?: EnvironmentError;
}

/** Held while a directory is made somebody's. */
const LOCK_NAME = '.lock';

/**
 * Reads whose each of the directories is, in the order of the configuration, and writes nothing. StartupError names both
 * when two do not belong together. EnvironmentError when the home cannot be read.
 */
export async function inspectDirectories(config: NodeConfig, files: Files): Promise<FoundDirectory[]> {
  const found = await Promise.all(config.logDirectories.map((path) => inspect(path, files)));
  const home = found[0]?.failure;
  if (home !== undefined) throw home;
  for (const { path, meta } of found) {
    if (meta === undefined) continue;
    const { nodeId, clusterId } = config;
    assertMetaProperties(path, meta, { nodeId, ...(clusterId === undefined ? {} : { clusterId }) });
  }
  assertBelongTogether(found);
  return found;
}

/** The cluster that the directories belong to; undefined: all of them are new. */
export function clusterOf(found: readonly FoundDirectory[]): Uuid | undefined {
  return found.find(({ meta }) => meta !== undefined)?.meta?.clusterId;
}

/**
 * Makes the new ones of the others this node's. Gives all of them for use, the home first. One that cannot be formatted
 * is offline. StartupError when one holds data and does not say whose, or is of another cluster.
 */
export async function settleDirectories(
  found: readonly FoundDirectory[],
  identity: Omit<MetaProperties, 'directoryId'> & { readonly homeId: Uuid },
  environment: Pick<Environment, 'files' | 'random' | 'logger'>,
): Promise<DataDirectory[]> {
  const { homeId, clusterId, nodeId } = identity;
  const settled: DataDirectory[] = [];
  for (const { path, meta, failure } of found) {
    if (settled.length === 0) settled.push({ path, id: homeId });
    else if (failure !== undefined) settled.push({ path, failure });
    else if (meta === undefined)
      settled.push(await formatDirectory(path, { clusterId, nodeId }, environment));
    else {
      assertMetaProperties(path, meta, { clusterId, nodeId });
      settled.push({ path, id: meta.directoryId });
    }
  }
  return settled;
}

/** StartupError when a directory without meta.properties holds data: something was lost or mixed up. */
export async function refuseForeignFiles(directory: string, files: Files): Promise<void> {
  const names = (await files.stat(directory)) === undefined ? [] : await files.list(directory);
  const partition = names.find((name) => /-\d+$/.test(name) && name !== '__cluster_metadata-0');
  if (partition !== undefined)
    throw new StartupError(
      `${directory} holds ${partition} but no meta.properties: restore the file, or move the directory aside`,
    );
}

async function inspect(path: string, files: Files): Promise<FoundDirectory> {
  try {
    const meta = await readMetaProperties(files, path);
    return meta === undefined ? { path } : { path, meta };
  } catch (failure) {
    if (failure instanceof EnvironmentError) return { path, failure };
    throw failure;
  }
}

function assertBelongTogether(found: readonly FoundDirectory[]): void {
  const [first, ...others] = found.flatMap(({ path, meta }) => (meta === undefined ? [] : { path, ...meta }));
  const paths = new Map(first === undefined ? [] : [[first.directoryId, first.path]]);
  for (const other of others) {
    const twin = paths.get(other.directoryId);
    paths.set(other.directoryId, other.path);
    if (twin !== undefined)
      throw new StartupError(
        `${twin} and ${other.path} have the same directory.id ${other.directoryId}: one is a copy of the other, or ` +
          'both are one; name it once in log.dirs',
      );
    if (first === undefined || (first.clusterId === other.clusterId && first.nodeId === other.nodeId))
      continue;
    throw new StartupError(
      `${first.path} belongs to node ${first.nodeId} of cluster ${first.clusterId}, but ${other.path} to node ` +
        `${other.nodeId} of cluster ${other.clusterId}; take one of them out of log.dirs`,
    );
  }
}

async function formatDirectory(
  path: string,
  owner: Omit<MetaProperties, 'directoryId'>,
  { files, random, logger }: Pick<Environment, 'files' | 'random' | 'logger'>,
): Promise<DataDirectory> {
  try {
    await makeDurableDirectory(files, path);
    const lock = await files.lock(`${path}/${LOCK_NAME}`);
    try {
      await refuseForeignFiles(path, files);
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
