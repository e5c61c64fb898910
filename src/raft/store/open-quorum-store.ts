import { CorruptionError, type Offset } from '../../base/index.ts';
import type { Files, KeyValueStore, KeyValueStores } from '../../env/index.ts';
import { DurableQuorumStore } from './durable-quorum-store.ts';
import { HardStateFile } from './hard-state-file.ts';
import { quorumPaths } from './paths.ts';
import type { QuorumStoreOpening } from './quorum-store.ts';
import { verifyLog } from './verify-log.ts';

export interface OpenQuorumStoreOptions {
  /** Of the metadata log. */
  readonly directory: string;
  readonly files: Files;
  readonly stores: KeyValueStores;
}

/**
 * Opens and verifies the quorum store in `directory`. Damage is an answer, not an error; EnvironmentError is thrown
 * when the directory cannot be read at all or is in use ('locked').
 */
export async function openQuorumStore(options: OpenQuorumStoreOptions): Promise<QuorumStoreOpening> {
  const { directory, files } = options;
  const paths = quorumPaths(directory);
  if ((await files.stat(paths.state)) === undefined) {
    const formatting = (await files.stat(paths.newState)) !== undefined;
    if (formatting || (await files.stat(paths.log)) === undefined) return { kind: 'empty' };
    return quarantined(directory, `${paths.state} is missing: what this node voted for is lost`);
  }
  // Formatting may have died after its last rename: what is believed now must not be unformatted after a power loss.
  await files.syncDirectory(directory);
  const opening = await HardStateFile.open(files, paths.state);
  if (opening.kind === 'damaged') return quarantined(directory, opening.reason);
  try {
    return await openLog(options, opening.file);
  } catch (error) {
    await opening.file.close();
    if (error instanceof CorruptionError) return quarantined(directory, error.message);
    throw error;
  }
}

async function openLog(
  options: OpenQuorumStoreOptions,
  hardState: HardStateFile,
): Promise<QuorumStoreOpening> {
  const { directory, files, stores } = options;
  const { log } = quorumPaths(directory);
  if ((await files.stat(log)) === undefined) {
    await hardState.close();
    return quarantined(directory, lostLog(log, hardState.state.tailFloor));
  }
  const store = await stores.open(log);
  const verification = await verifying(store, hardState, () => files.syncDirectory(log));
  if (verification.kind === 'sound')
    return {
      kind: 'open',
      store: new DurableQuorumStore({ directory, store, hardState, log: verification.log }),
    };
  await store.close();
  await hardState.close();
  return quarantined(directory, verification.reason);
}

/**
 * `settle`: LevelDB writes anew what it finds in its log, and names that in CURRENT by a rename which it does not sync. Power
 * loss would bring the old log back, without what a failed sync had left in the cache only, beside newer entries.
 */
async function verifying(
  store: KeyValueStore,
  file: HardStateFile,
  settle: () => Promise<void>,
): ReturnType<typeof verifyLog> {
  try {
    await settle();
    const { identity, state, generation } = file;
    return await verifyLog(store, { identity, hardState: state, generation });
  } catch (error) {
    await store.close();
    throw error;
  }
}

function lostLog(path: string, floor: Offset): string {
  return `${path} is missing, with the ${floor} entries that were durable in it`;
}

function quarantined(directory: string, reason: string): QuorumStoreOpening {
  const wayOut =
    `do not repair or copy files in ${directory}: this node may have forgotten a vote or an entry it confirmed. ` +
    'While a majority of the other voters is healthy the cluster works on. Move the directory aside and start the ' +
    'node again: it joins under a new directory id, copies the log from the leader, and votes only after an ' +
    'operator has made it a voter again.';
  return { kind: 'quarantined', reason, wayOut };
}
