/** `cluster.json` in the data directory of a local cluster: what runs there, for people and for the other commands. */
import { type NodeId, StartupError, type Uuid } from '../base/index.ts';
import { type Files, readWholeFile, replaceFile } from '../env/index.ts';

export interface ClusterDescription {
  readonly clusterId: Uuid;
  /** From the start of the process to the moment every node served. */
  readonly readyMs: number;
  /** Client listeners, comma separated. */
  readonly bootstrap: string;
  /** Controller listeners, comma separated. */
  readonly controllers: string;
  readonly nodes: readonly NodeDescription[];
}

export interface NodeDescription {
  readonly id: NodeId;
  readonly roles: readonly string[];
  readonly pid: number;
  /** `host:port` by listener name. */
  readonly listeners: Readonly<Record<string, string>>;
  readonly dataDir: string;
}

const FILE_NAME = 'cluster.json';

export async function writeClusterFile(
  files: Files,
  directory: string,
  cluster: ClusterDescription,
): Promise<void> {
  const text = `${JSON.stringify(cluster, undefined, 2)}\n`;
  await replaceFile(files, `${directory}/${FILE_NAME}`, Buffer.from(text));
}

/** The description in `directory`, or undefined when there is none. */
export async function readClusterFile(
  files: Files,
  directory: string,
): Promise<ClusterDescription | undefined> {
  const path = `${directory}/${FILE_NAME}`;
  const bytes = await readWholeFile(files, path);
  if (bytes === undefined) return undefined;
  try {
    const cluster = JSON.parse(Buffer.from(bytes).toString()) as ClusterDescription;
    if (typeof cluster.bootstrap === 'string' && Array.isArray(cluster.nodes)) return cluster;
  } catch {
    // Falls through: the same words for any damage.
  }
  throw new StartupError(
    `${path} is not the description of a cluster; remove it and start the cluster again`,
  );
}
