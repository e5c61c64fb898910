/** The world of each node of a test cluster, with a way to take it away at once. */
import { assert, type NodeId, StartupError } from '../../base/index.ts';
import type { Environment, FatalReason, Logger } from '../../env/index.ts';
import { createNodeEnvironment } from '../../env/node/index.ts';
import { levelStores } from '../../raft/index.ts';
import type { Transport } from '../../rpc/api/index.ts';
import { createGrpcTransport } from '../../rpc/grpc/index.ts';
import type { NodePlan, NodeWorld } from '../../server/index.ts';
import type { ClusterFaults } from './faults/cluster-faults.ts';
import { KillSwitch } from './kill-switch.ts';

export interface ClusterNode {
  readonly id: NodeId;
  readonly role: 'broker' | 'controller';
}

/** Why a node ended itself. */
export interface NodeEnd {
  readonly reason: FatalReason;
  readonly error: unknown;
}

export interface NodeWorldsOptions {
  readonly logger: Logger;
  readonly faults: ClusterFaults;
  readonly environmentOf: (node: ClusterNode, environment: Environment) => Environment;
  /** A node ended itself: as dead as if it had been killed. */
  readonly onEnd: (id: NodeId) => void;
}

interface World {
  readonly transport: Transport;
  readonly kill: KillSwitch;
  /** Rejects with a StartupError when the node ends itself. */
  readonly ended: Promise<never>;
  end?: NodeEnd;
  /** What the node held is free again. */
  freed?: Promise<void>;
}

export class NodeWorlds {
  readonly #options: NodeWorldsOptions;
  readonly #worlds = new Map<NodeId, World>();

  constructor(options: NodeWorldsOptions) {
    this.#options = options;
  }

  make(node: NodePlan): NodeWorld {
    const { environmentOf, onEnd, faults } = this.#options;
    const logger = this.#options.logger.child({ node: node.name });
    const kill = new KillSwitch();
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    const fatal = (reason: FatalReason, error: unknown): void => {
      if (world.end !== undefined) return;
      world.end = { reason, error };
      onEnd(node.id);
      void this.kill(node.id);
      reject(new StartupError(`${node.name} ended itself: ${reason}: ${String(error)}`));
    };
    const real: NodeWorld = {
      environment: createNodeEnvironment({ stores: levelStores(), logger, exit: { fatal } }),
      transport: createGrpcTransport({ logger }),
    };
    const { environment, transport } = faults.wrap(node.id, real, (faulty) => environmentOf(node, faulty));
    const world: World = { transport, kill, ended: promise };
    this.#worlds.set(node.id, world);
    return { environment: kill.wrap(environment), transport };
  }

  endOf(id: NodeId): NodeEnd | undefined {
    return this.#worlds.get(id)?.end;
  }

  /** Of the start under way or last begun. */
  ended(id: NodeId): Promise<never> {
    const world = this.#worlds.get(id);
    assert(world !== undefined, 'a node that was started has a world', { id });
    return world.ended;
  }

  /** Resolves when a node that was killed or ended holds nothing any more. */
  async freed(id: NodeId): Promise<void> {
    await this.#worlds.get(id)?.freed;
  }

  kill(id: NodeId): Promise<void> {
    const world = this.#worlds.get(id);
    if (world === undefined) return Promise.resolve();
    world.freed ??= Promise.all([world.transport.close(), world.kill.kill()]).then(() => {});
    // What was held for it finds nobody any more.
    this.#options.faults.resume(id);
    return world.freed;
  }
}
