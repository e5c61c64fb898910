/** What the steps of a nemesis act upon. */
import { setTimeout as pause } from 'node:timers/promises';
import type { NodeId, SeededRandom } from '../../../src/base/index.ts';
import type { Client } from '../../../src/client/index.ts';
import type { NodePlan } from '../../../src/server/index.ts';
import type { ShimmedDisk } from '../disk/shim.ts';
import type { Failovers, KillClass } from '../failovers.ts';
import type { Network } from '../net/network.ts';
import type { Nodes } from '../nodes.ts';
import { pick } from '../schedule.ts';

const ASK_TIMEOUT_MS = 3000;
const WHOLE_POLL_MS = 100;
/** Of the topic whose kills are timed. */
const MIN_INSYNC_REPLICAS = 2;

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
  /** Steps under way that are no kills. */
  disturbances = 0;

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

  /** All run, nothing is cut or slowed down, no disk is broken, no other step is under way. */
  get isHealthy(): boolean {
    const { nodes, network } = this;
    if (this.disturbances > 0) return false;
    return nodes.allUp && network.isWhole && !nodes.plan.nodes.some(({ id }) => nodes.isExcused(id));
  }

  /** Until a kill would be the only thing that is wrong, or the time is up. */
  async wait(patienceMs: number): Promise<void> {
    const untilMs = performance.now() + patienceMs;
    while (performance.now() < untilMs && (await this.killClassOf([])) === 'on-top')
      await pause(WHOLE_POLL_MS);
  }

  /** What a kill of `victims` would be now. */
  async killClassOf(victims: readonly NodePlan[]): Promise<KillClass> {
    const { brokers, controllers } = this.nodes;
    if (!this.failovers.isIdle || !this.isHealthy || !(await this.#hasFullSets()) || !this.isHealthy)
      return 'on-top';
    const left = (of: readonly NodePlan[]): number => of.filter((node) => !victims.includes(node)).length;
    const isEnough = left(brokers) >= MIN_INSYNC_REPLICAS && 2 * left(controllers) > controllers.length;
    return isEnough ? 'spare' : 'needed';
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

  /** False also when nobody answers. */
  async #hasFullSets(): Promise<boolean> {
    const { partitions } = await this.admin
      .describeTopic(this.topic, { timeoutMs: ASK_TIMEOUT_MS })
      .catch(() => ({ partitions: [] }));
    return (
      partitions.length > 0 &&
      partitions.every(({ leaderId, isr, replicas }) => leaderId >= 0 && isr.length === replicas.length)
    );
  }

  #find(id: NodeId | undefined): NodePlan | undefined {
    return this.nodes.plan.nodes.find((node) => node.id === id);
  }
}

/** For people: who leads, and the in-sync sets. */
export async function placesOf(
  admin: Client['admin'],
  topic: string,
  partitions: readonly number[],
): Promise<string> {
  const description = await admin.describeTopic(topic, { timeoutMs: ASK_TIMEOUT_MS });
  return description.partitions
    .filter(({ partition }) => partitions.includes(partition))
    .map(({ partition, leaderId, isr }) => `${partition}: leader ${leaderId}, isr ${isr}`)
    .join('; ');
}

export function namesOf(nodes: readonly NodePlan[]): string {
  return nodes.map(({ name }) => name).join(', ');
}
