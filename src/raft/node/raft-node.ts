/**
 * One node of the metadata quorum, with its store, timers and connections. The shell around the driver: promises in, promises
 * out, no decision of its own.
 */
import { NONE, type NodeId, type QuorumEpoch } from '../../base/index.ts';
import { type Environment, sleep } from '../../env/index.ts';
import type { DescribeQuorumReply, Endpoint, QuorumTimeouts } from '../core/index.ts';
import type { QuorumStore } from '../store/index.ts';
import { type AppendResult, QuorumDriver } from './driver.ts';
import type { QuorumListener } from './listener.ts';
import { callsOverPeers, type QuorumPeer } from './peers.ts';
import type { QuorumStorage } from './ports.ts';
import { type QuorumServer, serveDriver } from './service.ts';
import type { QuorumStatus } from './status.ts';

export interface RaftNodeOptions {
  readonly nodeId: NodeId;
  /** Open. From here on it is the node's, which closes it. */
  readonly store: QuorumStore;
  readonly environment: Environment;
  readonly timeouts: QuorumTimeouts;
  /** The configured voters, and where they listen. */
  readonly voters: readonly { readonly id: NodeId; readonly endpoint: Endpoint }[];
  /** At once and without I/O; called once for each node. */
  readonly peers: (nodeId: NodeId, endpoint: Endpoint) => QuorumPeer;
  /** What the configuration says; the established voter set decides. */
  readonly role: 'voter' | 'observer';
  /** Where others reach this node. */
  readonly advertised: Endpoint;
}

export interface CloseOptions {
  /** A leader hands over first, for at most `timeoutMs`. */
  readonly graceful: boolean;
  readonly timeoutMs: number;
}

export interface RaftNode {
  /** The server's side, for a transport. Serve it before anything can be expected of the quorum. */
  readonly service: QuorumServer;
  status(): QuorumStatus;
  /**
   * Only the leader of `epoch` may append. One payload is one entry at one offset, replicated and delivered whole; at most
   * ENTRY_BYTES_MAX. The offset is known at once; it is committed later, or never if the leadership ends first.
   */
  append(epoch: QuorumEpoch, payload: Uint8Array): AppendResult;
  /** A late listener is handed everything from offset 0 first. Returns what ends the subscription. */
  subscribe(listener: QuorumListener): () => void;
  /** Gives up the leadership of `epoch`; nothing happens when that is over already. */
  resign(epoch: QuorumEpoch): void;
  describe(): DescribeQuorumReply;
  /** The connection to `nodeId` broke: if it leads, it has `disconnectGraceMs` to come back. */
  peerDisconnected(nodeId: NodeId): void;
  close(options: CloseOptions): Promise<void>;
}

/** How often a closing leader looks whether a successor is known. */
const HANDOVER_POLL_MS = 5;

/** Starts at once and in the background: a new quorum establishes itself when its voters can reach each other. */
export async function openRaftNode(options: RaftNodeOptions): Promise<RaftNode> {
  const { nodeId, store, environment, timeouts, voters, advertised } = options;
  const { clock, timers, random, exit } = environment;
  const { clusterId, directoryId } = store.identity;
  const endpoints = new Map(voters.map(({ id, endpoint }) => [id, endpoint]));
  const peerEndpoints = new Map(endpoints);
  if (options.role === 'voter') endpoints.set(nodeId, advertised);
  const driver = new QuorumDriver(
    {
      self: { id: nodeId, directoryId },
      clusterId,
      seeksVote: options.role === 'voter',
      configured: voters.map(({ id }) => id),
      timeouts,
      hardState: store.hardState,
      log: { endOffset: store.log.endOffset, epochs: store.epochs },
      endpoints,
    },
    {
      storage: storageOver(store),
      calls: callsOverPeers(peerEndpoints, options.peers),
      nowMs: () => clock.monotonicMs(),
      timers,
      random,
      logger: environment.logger.child({ module: 'raft', nodeId }),
      exit,
    },
  );
  driver.start();
  return {
    service: serveDriver(driver),
    status: () => driver.status,
    append: (epoch, payload) => driver.append(epoch, payload),
    subscribe: (listener) => driver.subscribe(listener),
    resign: (epoch) => driver.resign(epoch),
    describe: () => driver.describe(),
    peerDisconnected: (id) => driver.peerDisconnected(id),
    close: (how) => close(driver, store, environment, how),
  };
}

async function close(
  driver: QuorumDriver,
  store: QuorumStore,
  { timers, clock }: Environment,
  { graceful, timeoutMs }: CloseOptions,
): Promise<void> {
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  const hasToHandOver = graceful && driver.status.role === 'leader' && driver.status.voters.length > 1;
  if (graceful) driver.shutdown();
  while (hasToHandOver && driver.status.leaderId === NONE && clock.monotonicMs() < deadlineMs)
    await sleep(timers, HANDOVER_POLL_MS);
  driver.close();
  await store.close();
}

function storageOver(store: QuorumStore): QuorumStorage {
  return {
    saveHardState: (state, done) => {
      store.saveHardState(state).then(() => done(), done);
    },
    append: (entries, { truncateFrom, sync }, done) => {
      const options = truncateFrom === undefined ? { sync } : { sync, truncateFrom };
      store.append(entries, options).then(() => done(), done);
    },
    read: (from, to, maxBytes, done) => {
      store.read(from, to, maxBytes).then(
        (entries) => done({ kind: 'entries', entries }),
        (error: unknown) => done({ kind: 'failed', error }),
      );
    },
  };
}
