/**
 * `meta.properties`, in each data directory: whose it is. Kafka's format, version 1, one `key=value` a line.
 *
 * It is written once, when the directory is formatted, and compared at each start: a directory of another cluster or of
 * another node is refused before anything in it is read. With a checksum, which Kafka does not write and passes over: an id
 * with a turned bit is still an id, and the directory would be taken for another one.
 * Source: kafka MetaProperties, KIP-858 (directory.id).
 */
import { crc32c, isUuid, type NodeId, StartupError, type Uuid } from '../base/index.ts';
import type { Files } from './files.ts';
import { readWholeFile, replaceFile } from './whole-file.ts';

export interface MetaProperties {
  readonly clusterId: Uuid;
  readonly nodeId: NodeId;
  readonly directoryId: Uuid;
}

export const META_PROPERTIES = 'meta.properties';
/** Far more than the file has; a longer one is something else. */
const SIZE_BYTES_MAX = 65_536;

/** What `directory` says it is; undefined when it was never formatted. StartupError when the file cannot be understood. */
export async function readMetaProperties(
  files: Files,
  directory: string,
): Promise<MetaProperties | undefined> {
  const path = metaPath(directory);
  const bytes = await readWholeFile(files, path);
  if (bytes === undefined) return undefined;
  if (bytes.length > SIZE_BYTES_MAX) throw unreadable(path, `it has ${bytes.length} bytes`);
  return decodeMetaProperties(path, bytes.toString());
}

/** Durable and whole when it resolves; replaces what was there. */
export async function writeMetaProperties(
  files: Files,
  directory: string,
  properties: MetaProperties,
): Promise<void> {
  await replaceFile(files, metaPath(directory), Buffer.from(encode(properties)));
}

/** Throws StartupError, with both sides and the way out, when `found` in `directory` is not of this cluster and node. */
export function assertMetaProperties(
  directory: string,
  found: MetaProperties,
  expected: { readonly clusterId?: Uuid; readonly nodeId: NodeId },
): void {
  if (expected.clusterId !== undefined && found.clusterId !== expected.clusterId)
    throw new StartupError(
      `${directory} belongs to cluster ${found.clusterId}, but this node is configured for cluster ` +
        `${expected.clusterId}; use another data directory, or set cluster.id=${found.clusterId}`,
    );
  if (found.nodeId !== expected.nodeId)
    throw new StartupError(
      `${directory} belongs to node ${found.nodeId}, but this node is node ${expected.nodeId}; ` +
        `use another data directory, or set node.id=${found.nodeId}`,
    );
}

function metaPath(directory: string): string {
  return `${directory}/${META_PROPERTIES}`;
}

function encode(properties: MetaProperties): string {
  const text = withoutChecksum(properties);
  return `${text}crc32c=${checksum(text)}\n`;
}

function withoutChecksum({ clusterId, nodeId, directoryId }: MetaProperties): string {
  return `version=1\ncluster.id=${clusterId}\nnode.id=${nodeId}\ndirectory.id=${directoryId}\n`;
}

/** Of the values as this program writes them, in whatever order and with whatever comments they stand in the file. */
function checksum(text: string): string {
  return crc32c(Buffer.from(text)).toString(16).padStart(8, '0');
}

/** What a file says. StartupError when it cannot be understood; `path` is for its message. */
export function decodeMetaProperties(path: string, text: string): MetaProperties {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const cut = line.indexOf('=');
    if (!line.startsWith('#') && cut > 0) values.set(line.slice(0, cut).trim(), line.slice(cut + 1).trim());
  }
  const get = (key: string): string => {
    const value = values.get(key);
    if (value === undefined || value === '') throw unreadable(path, `it has no ${key}`);
    return value;
  };
  if (get('version') !== '1')
    throw unreadable(path, `it has version ${get('version')}, this program knows 1`);
  const [clusterId, directoryId, node] = [get('cluster.id'), get('directory.id'), get('node.id')];
  if (!/^\d{1,10}$/.test(node)) throw unreadable(path, `node.id is "${node}"`);
  if (!isUuid(directoryId)) throw unreadable(path, `directory.id is "${directoryId}"`);
  if (!isUuid(clusterId)) throw unreadable(path, `cluster.id is "${clusterId}"`);
  const properties = { clusterId, directoryId, nodeId: Number(node) };
  const stored = values.get('crc32c');
  const computed = checksum(withoutChecksum(properties));
  if (stored !== undefined && stored !== computed)
    throw unreadable(path, `its crc32c is "${stored}", and ${computed} would be right for what it says`);
  return properties;
}

function unreadable(path: string, why: string): StartupError {
  return new StartupError(
    `cannot understand ${path}: ${why}; restore the file (one that was changed by hand: without its line crc32c), or ` +
      'move the data directory aside and format a new one',
  );
}
