import { type NodeId, StartupError, type Uuid } from '../../base/index.ts';
import { type Files, type KeyValueStores, makeDurableDirectory } from '../../env/index.ts';
import type { VoterKey } from '../core/messages.ts';
import { BASE_KEY, encodeBase, encodeTail, genesisHash, TAIL_KEY } from './entry-codec.ts';
import { HardStateFile } from './hard-state-file.ts';
import { quorumPaths } from './paths.ts';

export interface FormatQuorumStoreOptions {
  /** Of the metadata log; made when missing. */
  readonly directory: string;
  readonly clusterId: Uuid;
  readonly directoryId: Uuid;
  readonly nodeId: NodeId;
  /** The established voter set, when it is known already; else empty. */
  readonly voters: readonly VoterKey[];
  readonly files: Files;
  readonly stores: KeyValueStores;
}

/**
 * Makes an empty quorum store, durable when it resolves. A directory in which formatting was interrupted is
 * formatted anew; one that is formatted, or that holds a log without a state, is refused with StartupError.
 */
export async function formatQuorumStore(options: FormatQuorumStoreOptions): Promise<void> {
  const { directory, clusterId, directoryId, nodeId, voters, files, stores } = options;
  const paths = quorumPaths(directory);
  await makeDurableDirectory(files, directory);
  if ((await files.stat(paths.state)) !== undefined)
    throw new StartupError(`${directory} is formatted already; it would lose its votes and its log`);
  const interrupted = (await files.stat(paths.newState)) !== undefined;
  if (!interrupted && (await files.stat(paths.log)) !== undefined)
    throw new StartupError(`${directory} holds a metadata log without its state; move it aside first`);
  await files.removeDirectory(paths.log);
  const identity = { clusterId, directoryId, nodeId };
  const state = { epoch: 0, leaderId: -1, voters, tailFloor: 0 };
  await HardStateFile.create(files, paths.newState, identity, state);
  await files.syncDirectory(directory);
  const store = await stores.open(paths.log);
  try {
    const hash = genesisHash(clusterId, directoryId);
    const base = encodeBase({ startOffset: 0, hash, clusterId, directoryId });
    const tail = encodeTail({ endOffset: 0, lastHash: hash, hardStateGeneration: 0 });
    await store.batch(
      [
        { kind: 'put', key: BASE_KEY, value: base },
        { kind: 'put', key: TAIL_KEY, value: tail },
      ],
      { sync: true },
    );
  } finally {
    await store.close();
  }
  await files.rename(paths.newState, paths.state);
  await files.syncDirectory(directory);
}
