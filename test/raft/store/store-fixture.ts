import { randomUuid, SeededRandom } from '../../../src/base/index.ts';
import type { Files, KeyValueStores } from '../../../src/env/index.ts';
import type { Entry } from '../../../src/raft/core/messages.ts';
import { formatQuorumStore, openQuorumStore, type QuorumStore } from '../../../src/raft/store/index.ts';

const random = new SeededRandom(1, 'fixture');
export const CLUSTER = randomUuid(random);
export const DIRECTORY_ID = randomUuid(random);
export const VOTERS = [1, 2, 3].map((id) => ({ id, directoryId: randomUuid(random) }));

export interface Disk {
  readonly directory: string;
  readonly files: Files;
  readonly stores: KeyValueStores;
}

export const format = (disk: Disk): Promise<void> =>
  formatQuorumStore({
    ...disk,
    clusterId: CLUSTER,
    directoryId: DIRECTORY_ID,
    nodeId: 1,
    voters: VOTERS,
  });

export async function open(disk: Disk): Promise<QuorumStore> {
  const opening = await openQuorumStore(disk);
  if (opening.kind !== 'open') throw new Error(`not open but ${JSON.stringify(opening)}`);
  return opening.store;
}

/** Why the store is quarantined; fails when it is not. */
export async function quarantineReason(disk: Disk): Promise<string> {
  const opening = await openQuorumStore(disk);
  if (opening.kind === 'open') await opening.store.close();
  if (opening.kind !== 'quarantined') throw new Error(`not quarantined but ${opening.kind}`);
  return opening.reason;
}

/** `count` entries from `from` in `epoch`, each payload telling its place. */
export function entries(from: number, count: number, epoch = 1, payloadBytes = 8): Entry[] {
  return Array.from({ length: count }, (_, index) => {
    const payload = Buffer.alloc(payloadBytes, 0x2e);
    payload.write(`${epoch}:${from + index}`);
    return { offset: from + index, epoch, kind: 'data', payload };
  });
}

export const append = (store: QuorumStore, list: readonly Entry[], truncateFrom?: number): Promise<void> =>
  store.append(list, truncateFrom === undefined ? { sync: true } : { truncateFrom, sync: true });

/** More than a store has in memory of its log: what was before is on the disk alone. */
export const MEMORY_ENTRIES = 5000;

/** The log as text, for comparison: `epoch:offset` of every payload. */
export async function contents(store: QuorumStore): Promise<string[]> {
  const { startOffset, endOffset } = store.log;
  const found: string[] = [];
  for (let from = startOffset; from < endOffset; from = startOffset + found.length)
    for (const entry of await store.read(from, endOffset, 1000))
      found.push(Buffer.from(entry.payload).toString().replaceAll('.', ''));
  return found;
}

export const elected = (epoch: number, leaderId = -1) => ({ epoch, leaderId, voters: VOTERS });
