/** What the steps of a nemesis act upon. */
import type { NodeId, SeededRandom } from '../../../src/base/index.ts';
import type { Client } from '../../../src/client/index.ts';
import type { NodePlan } from '../../../src/server/index.ts';
import type { ShimmedDisk } from '../disk/shim.ts';
import type { Failovers } from '../failovers.ts';
import type { Network } from '../net/network.ts';
import type { Nodes } from '../nodes.ts';
import { pick } from '../schedule.ts';

const ASK_TIMEOUT_MS = 3000;

export class Stage {
  readonly nodes: Nodes;
  readonly network: Network;
  /** Empty where there is no shim. */
  readonly disks: ReadonlyMap<NodeId, ShimmedDisk>;
  readonly admin: Client['admin'];
  readonly topic: string;
  readonly failovers: Failovers;
  readonly say: (text: string) => void;
  /** Before the disk of a node loses what was not synced. */
  readonly noteLoss: (node: NodePlan) => void;
  /** Things that happened, for the report. */
  readonly tally = new Map<string, number>();
  topics = 0;

  constructor(
    parts: Pick<Stage, 'nodes' | 'network' | 'disks' | 'admin' | 'topic' | 'failovers' | 'say' | 'noteLoss'>,
  ) {
    this.nodes = parts.nodes;
    this.network = parts.network;
    this.disks = parts.disks;
    this.admin = parts.admin;
    this.topic = parts.topic;
    this.failovers = parts.failovers;
    this.say = parts.say;
    this.noteLoss = parts.noteLoss;
  }

  /** All run, nothing is cut or slowed down, no disk is broken. */
  get isHealthy(): boolean {
    const { nodes, network } = this;
    return nodes.allUp && network.isWhole && !nodes.plan.nodes.some(({ id }) => nodes.isExcused(id));
  }

  count(what: string, times = 1): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + times);
  }

  /** Of one partition of the topic, as the brokers say now; when nobody leads or answers, any broker. */
  async leader(random: SeededRandom): Promise<NodePlan> {
    const draw = random.float();
    const someBroker = this.pickNode(random, this.nodes.brokers);
    const { partitions } = await this.admin
      .describeTopic(this.topic, { timeoutMs: ASK_TIMEOUT_MS })
      .catch(() => ({ partitions: [] }));
    return this.#find(partitions[Math.floor(draw * partitions.length)]?.leaderId) ?? someBroker;
  }

  /** As the brokers say now; when none is known, any controller. */
  async activeController(random: SeededRandom): Promise<NodePlan> {
    const someController = this.pickNode(random, this.nodes.controllers);
    const quorum = await this.admin.describeQuorum({ timeoutMs: ASK_TIMEOUT_MS }).catch(() => undefined);
    return this.#find(quorum?.leaderId) ?? someController;
  }

  pickNode(random: SeededRandom, from: readonly NodePlan[] = this.nodes.plan.nodes): NodePlan {
    const [node] = pick(from, 1, random);
    if (node === undefined) throw new Error('there are no nodes');
    return node;
  }

  #find(id: NodeId | undefined): NodePlan | undefined {
    return this.nodes.plan.nodes.find((node) => node.id === id);
  }
}

export function namesOf(nodes: readonly NodePlan[]): string {
  return nodes.map(({ name }) => name).join(', ');
}
