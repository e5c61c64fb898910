/**
 * A whole cluster in this process: what `quorate dev` runs and the test kit wraps. Every node has its own environment and
 * transport, its own directory and real sockets; only the process is shared.
 */
import { assert, type NodeId, randomUuid, StartupError, type Uuid } from '../../base/index.ts';
import { type Environment, readMetaProperties } from '../../env/index.ts';
import type { Transport } from '../../rpc/api/index.ts';
import { type NodeConfig, nodeConfigFrom } from '../config/node-config.ts';
import { valuesFromArguments } from '../config/sources.ts';
import { type ServerNode, startNode } from '../node.ts';
import { formatStorage } from '../storage.ts';
import type { ClusterPlan, NodePlan } from './layout.ts';

export interface NodeWorld {
  readonly environment: Environment;
  readonly transport: Transport;
}

export interface LocalClusterOptions {
  readonly plan: ClusterPlan;
  /** Makes what is outside of a node, anew for each start of it. */
  readonly worldOf: (node: NodePlan) => NodeWorld;
}

export class LocalCluster {
  readonly plan: ClusterPlan;
  readonly #worldOf: LocalClusterOptions['worldOf'];
  readonly #running = new Map<NodeId, ServerNode>();

  constructor({ plan, worldOf }: LocalClusterOptions) {
    this.plan = plan;
    this.#worldOf = worldOf;
  }

  /** Starts every node and resolves when each is ready. On failure everything is stopped again. */
  async start(): Promise<void> {
    try {
      await Promise.all(this.plan.nodes.map((node) => this.startNode(node.id)));
      await this.ready();
    } catch (error) {
      await this.stop({ controlled: false });
      throw error;
    }
  }

  /** Resolves when the node serves; see {@link ready}. */
  async startNode(id: NodeId): Promise<ServerNode> {
    assert(!this.#running.has(id), 'a node is started once', { id });
    const plan = this.planOf(id);
    const node = await startNode({ config: configOf(plan), ...this.#worldOf(plan) });
    this.#running.set(id, node);
    return node;
  }

  async ready(): Promise<void> {
    await Promise.all([...this.#running.values()].map((node) => node.ready));
  }

  async stopNode(id: NodeId, how: { readonly controlled: boolean }): Promise<void> {
    const node = this.#running.get(id);
    this.#running.delete(id);
    await node?.stop(how);
  }

  /** Forgets a node that was killed from outside. */
  forget(id: NodeId): void {
    this.#running.delete(id);
  }

  /**
   * Brokers first, so that they can still take leave of the controllers. These hand nothing over: whoever took it would
   * stop as well.
   */
  async stop({ controlled }: { readonly controlled: boolean }): Promise<void> {
    await this.#stopAll('broker', controlled);
    await this.#stopAll('controller', false);
  }

  async #stopAll(role: NodePlan['role'], controlled: boolean): Promise<void> {
    const nodes = this.plan.nodes.filter((node) => node.role === role);
    await Promise.all(nodes.map(({ id }) => this.stopNode(id, { controlled })));
  }

  node(id: NodeId): ServerNode | undefined {
    return this.#running.get(id);
  }

  runningNodes(): readonly ServerNode[] {
    return [...this.#running.values()];
  }

  planOf(id: NodeId): NodePlan {
    const plan = this.plan.nodes.find((node) => node.id === id);
    if (plan === undefined) throw new StartupError(`the cluster has no node ${id}`);
    return plan;
  }
}

/**
 * Formats the directories of a cluster that does not exist yet, all voters known to each other from the start. Does
 * nothing when any of them is formatted: then a new directory is for the quorum to judge. Gives the cluster's id.
 */
export async function formatCluster(plan: ClusterPlan, environment: Environment): Promise<Uuid> {
  for (const node of plan.nodes) {
    const meta = await readMetaProperties(environment.files, node.directory);
    if (meta !== undefined) return meta.clusterId;
  }
  const clusterId = randomUuid(environment.random);
  const voters = plan.nodes
    .filter((node) => node.role === 'controller')
    .map((node) => ({ id: node.id, directoryId: randomUuid(environment.random) }));
  await Promise.all(
    plan.nodes.map((node) => {
      const voter = voters.find((candidate) => candidate.id === node.id);
      const directoryId = voter?.directoryId ?? randomUuid(environment.random);
      const known = voter === undefined ? [] : voters;
      return formatStorage(configOf(node), environment, { clusterId, directoryId, voters: known });
    }),
  );
  return clusterId;
}

function configOf(plan: NodePlan): NodeConfig {
  return nodeConfigFrom(
    valuesFromArguments(Object.entries(plan.settings).map(([key, value]) => `${key}=${value}`)),
  );
}
