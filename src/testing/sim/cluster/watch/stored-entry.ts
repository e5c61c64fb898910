import { crc32c, type Offset } from '../../../../base/index.ts';
import { decodeEntry, entryKey } from '../../../../raft/index.ts';
import type { MemoryStores } from '../../../twins/index.ts';
import type { StoredEntry } from './entry-laws.ts';

/** Where every machine keeps the metadata log. */
const LOG_PATH = '/data/__cluster_metadata-0/log';

/** The entry at `offset` that the disk would have after a power failure; undefined: none. */
export function storedEntry(
  stores: Pick<MemoryStores, 'findDurable'>,
  offset: Offset,
): StoredEntry | undefined {
  const value = stores.findDurable(LOG_PATH, entryKey(offset));
  const decoded = value === undefined ? undefined : decodeEntry(value);
  if (decoded === undefined || 'problem' in decoded) return undefined;
  const { epoch, kind, payload } = decoded.entry;
  return { epoch, content: `${kind} ${payload.byteLength} ${crc32c(payload).toString(16)}` };
}
