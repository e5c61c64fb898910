/**
 * One node, put together: storage, quorum, then what its roles ask for, then the listeners. The composition root: nothing
 * below knows which parts it runs with.
 *
 * Order of start: lock and open the directory, join the quorum, serve, register. Order of stop: hand over what is led,
 * stop serving, close the files. A stop that is cut off is a crash, which the next start has to handle anyway.
 */
import { EnvironmentError, StartupError } from '../base/index.ts';
import { type Broker, openBroker } from '../broker/index.ts';
import { type Environment, type FileLock, makeDurableDirectory } from '../env/index.ts';
import type { DataDirectory } from '../log/index.ts';
import { ControllerNode } from '../metadata/index.ts';
import { openRaftNode, type RaftNode } from '../raft/index.ts';
import type { Address, Listener, ServedServices, Transport } from '../rpc/api/index.ts';
import type { ListenerName } from './config/addresses.ts';
import type { NodeConfig } from './config/node-config.ts';
import { inspectDirectories, settleDirectories } from './data-directories.ts';
import { whenLeaderKnown } from './leader-known.ts';
import { brokerOptions, controllerConfig, quorumPeers, quorumTimeouts } from './parts.ts';
import {
  assertSameCluster,
  type OpenedStorage,
  openStorage,
  type StorageIdentity,
  settleIdentity,
} from './storage.ts';

export interface NodeOptions {
  readonly config: NodeConfig;
  readonly environment: Environment;
  readonly transport: Transport;
}

/** A started node. */
export interface ServerNode {
  readonly config: NodeConfig;
  readonly identity: StorageIdentity;
  readonly raft: RaftNode;
  readonly broker?: Broker;
  readonly controller?: ControllerNode;
  /** A broker: registered, caught up, unfenced. A controller: it knows who leads the quorum. */
  readonly ready: Promise<void>;
  /** `controlled`: a broker first hands its leaderships over. Resolves when every file is closed. */
  stop(options: { readonly controlled: boolean }): Promise<void>;
}

const LOCK_NAME = '.lock';
/** Running calls may finish for this long when a listener closes. */
const LISTENER_GRACE_MS = 100;
/** A leader of the quorum that stops waits this long for a successor. */
const QUORUM_HANDOVER_MS = 500;

/** Starts a node. StartupError or EnvironmentError when it cannot; then nothing stays open. */
export async function startNode(options: NodeOptions): Promise<ServerNode> {
  const node = new RunningNode(options);
  try {
    await node.start();
    return node.started();
  } catch (error) {
    await node.stop({ controlled: false });
    throw error;
  }
}

class RunningNode {
  readonly #config: NodeConfig;
  readonly #environment: Environment;
  readonly #transport: Transport;
  readonly #listeners: Listener[] = [];
  #lock: FileLock | undefined;
  #storage: OpenedStorage | undefined;
  #identity: StorageIdentity | undefined;
  #raft: RaftNode | undefined;
  #controller: ControllerNode | undefined;
  #broker: Broker | undefined;
  #stopping: Promise<void> | undefined;

  constructor({ config, environment, transport }: NodeOptions) {
    this.#config = config;
    this.#environment = environment;
    this.#transport = transport;
  }

  async start(): Promise<void> {
    const config = this.#config;
    const environment = this.#environment;
    await makeDurableDirectory(environment.files, config.homeDirectory);
    this.#lock = await this.#lockDirectory();
    const found = await inspectDirectories(config, environment.files);
    const storage = await openStorage(config, environment, this.#transport, found);
    this.#storage = storage;
    const raft = await openRaftNode({
      nodeId: config.nodeId,
      store: storage.store,
      environment,
      timeouts: quorumTimeouts(config),
      voters: config.voters,
      peers: quorumPeers(this.#transport),
      role: config.isController ? 'voter' : 'observer',
      advertised: this.#advertised(config.isController ? 'CONTROLLER' : 'CLIENT'),
    });
    this.#raft = raft;
    if (config.isController) await this.#startController(raft);
    const identity = await settleIdentity(config, environment, storage, raft);
    this.#identity = identity;
    if (!config.isBroker) return;
    const { nodeId } = config;
    const owner = { homeId: identity.directoryId, clusterId: identity.clusterId, nodeId };
    await this.#startBroker(raft, identity, await settleDirectories(found, owner, environment));
  }

  started(): ServerNode {
    const raft = this.#raft;
    const identity = this.#identity;
    if (raft === undefined || identity === undefined) throw new StartupError('the node has not started');
    const ready = this.#ready(raft, identity);
    // Whoever waits for it is told; a node that is stopped before has nobody waiting.
    ready.catch(() => {});
    return {
      config: this.#config,
      identity,
      raft,
      ...(this.#broker === undefined ? {} : { broker: this.#broker }),
      ...(this.#controller === undefined ? {} : { controller: this.#controller }),
      ready,
      stop: (how) => this.stop(how),
    };
  }

  async #ready(raft: RaftNode, identity: StorageIdentity): Promise<void> {
    await whenLeaderKnown(raft);
    assertSameCluster(this.#config, identity.clusterId, raft.status().clusterId);
    await this.#broker?.ready;
  }

  stop(how: { readonly controlled: boolean }): Promise<void> {
    this.#stopping ??= this.#stopParts(how);
    return this.#stopping;
  }

  /** A part that cannot close in order, its disk being full say, keeps none of the others open. */
  async #stopParts({ controlled }: { readonly controlled: boolean }): Promise<void> {
    const steps: readonly (() => Promise<unknown> | undefined)[] = [
      () => this.#broker?.shutdown({ controlled }),
      () => this.#controller?.close(),
      () =>
        this.#raft?.close({ graceful: controlled, timeoutMs: QUORUM_HANDOVER_MS }) ??
        this.#storage?.store.close(),
      () => Promise.all(this.#listeners.map((listener) => listener.close(LISTENER_GRACE_MS))),
      () => this.#transport.close(),
      () => this.#lock?.release(),
    ];
    const failures: unknown[] = [];
    for (const step of steps) {
      try {
        await step();
      } catch (failure) {
        failures.push(failure);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async #startController(raft: RaftNode): Promise<void> {
    const controller = new ControllerNode({
      raft,
      environment: this.#environment,
      config: controllerConfig(this.#config),
    });
    this.#controller = controller;
    await this.#serve('CONTROLLER', { quorum: raft.service, controller });
    controller.start();
  }

  async #startBroker(
    raft: RaftNode,
    identity: StorageIdentity,
    directories: readonly DataDirectory[],
  ): Promise<void> {
    const broker = await openBroker(
      brokerOptions({
        config: this.#config,
        identity,
        directories,
        environment: this.#environment,
        raft,
        transport: this.#transport,
      }),
    );
    this.#broker = broker;
    // Other brokers forward to the replica listener, so that the client listener may be reachable for clients only.
    await this.#serve('REPLICA', { replica: broker.replica, broker: broker.broker, quorum: raft.service });
    await this.#serve('CLIENT', { broker: broker.broker, admin: broker.admin });
  }

  async #serve(name: ListenerName, services: ServedServices): Promise<void> {
    const address = this.#config.listeners[name];
    if (address === undefined) throw new StartupError(`no ${name} listener is configured`);
    this.#listeners.push(await this.#listen(name, address, services));
  }

  async #listen(name: ListenerName, address: Address, services: ServedServices): Promise<Listener> {
    try {
      return await this.#transport.serve(address, services);
    } catch (error) {
      if (error instanceof EnvironmentError && error.reason === 'address-in-use')
        throw new StartupError(
          `${error.message}: stop it, or give the ${name} listener another port (key listeners, or --port of dev)`,
        );
      throw error;
    }
  }

  #advertised(name: ListenerName): Address {
    const address = this.#config.advertised[name];
    if (address === undefined) throw new StartupError(`no ${name} listener is configured`);
    return address;
  }

  async #lockDirectory(): Promise<FileLock> {
    const directory = this.#config.homeDirectory;
    try {
      return await this.#environment.files.lock(`${directory}/${LOCK_NAME}`);
    } catch (error) {
      if (error instanceof EnvironmentError && error.reason === 'locked')
        throw new StartupError(
          `${directory} is in use: ${error.message}; stop that node, or give this one another directory`,
        );
      throw error;
    }
  }
}
