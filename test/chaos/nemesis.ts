/**
 * What happens to the processes, drawn from one seed. A step takes something away and, sooner or later, gives it back; steps
 * follow one another with pauses, and faults overlap where they last longer than these.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { SeededRandom } from '../../src/base/index.ts';
import type { Client } from '../../src/client/index.ts';
import type { NodePlan } from '../../src/server/index.ts';
import type { Failovers } from './failovers.ts';
import type { Nodes } from './nodes.ts';

export interface NemesisOptions {
  readonly nodes: Nodes;
  readonly admin: Client['admin'];
  readonly topic: string;
  readonly seed: number;
  readonly failovers: Failovers;
  readonly say: (text: string) => void;
  /** Names of steps; absent: all. */
  readonly only?: readonly string[];
}

const STEPS = [
  'kill-broker',
  'kill-leader',
  'kill-leader',
  'kill-controller',
  'kill-active-controller',
  'kill-two-brokers',
  'kill-two-controllers',
  'kill-all-brokers',
  'kill-all',
  'pause-broker',
  'pause-leader',
  'pause-active-controller',
  'pause-two',
  'pause-and-kill',
  'crash-loop',
  'rolling-restart',
  'stop-broker',
  'create-topic',
  'create-topic',
] as const;

type Step = (typeof STEPS)[number];

export class Nemesis {
  readonly #options: NemesisOptions;
  readonly #random: SeededRandom;
  readonly #running = new Set<Promise<void>>();
  #topics = 0;
  /** How often each step was taken. */
  readonly steps = new Map<Step, number>();

  constructor(options: NemesisOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed, 'nemesis');
  }

  async run(untilMs: number): Promise<void> {
    while (performance.now() < untilMs) {
      const { only } = this.#options;
      const steps = STEPS.filter((step) => only?.includes(step) ?? true);
      const step = steps[this.#random.integer(0, steps.length)] ?? 'kill-broker';
      this.steps.set(step, (this.steps.get(step) ?? 0) + 1);
      const acting = this.#act(step).catch((error: unknown) =>
        this.#options.say(`  ${step}: ${String(error)}`),
      );
      this.#running.add(acting);
      acting.then(() => this.#running.delete(acting));
      // Mostly one thing after the other, sometimes one on top of the other.
      if (this.#random.float() < 0.75) await acting;
      await pause(this.#random.integer(200, 5000));
    }
    await Promise.all(this.#running);
  }

  async #act(step: Step): Promise<void> {
    const { nodes, say } = this.#options;
    const [some] = this.#pick(nodes.brokers, 1);
    switch (step) {
      case 'kill-broker':
        return this.#kill(step, [some]);
      case 'kill-leader':
        return this.#kill(step, [await this.#leader()]);
      case 'kill-controller':
        return this.#kill(step, this.#pick(nodes.controllers, 1));
      case 'kill-active-controller':
        return this.#kill(step, [await this.#activeController()]);
      case 'kill-two-brokers':
        return this.#kill(step, this.#pick(nodes.brokers, 2));
      case 'kill-two-controllers':
        return this.#kill(step, this.#pick(nodes.controllers, 2));
      case 'kill-all-brokers':
        return this.#kill(step, nodes.brokers);
      case 'kill-all':
        return this.#kill(step, nodes.plan.nodes);
      case 'pause-broker':
        return this.#pause(step, [some]);
      case 'pause-leader':
        return this.#pause(step, [await this.#leader()]);
      case 'pause-active-controller':
        return this.#pause(step, [await this.#activeController()]);
      case 'pause-two':
        return this.#pause(step, this.#pick(nodes.plan.nodes, 2));
      case 'pause-and-kill': {
        const [other] = this.#pick(nodes.plan.nodes, 1);
        await Promise.all([this.#pause(step, [some]), this.#kill(step, [other])]);
        return;
      }
      case 'crash-loop':
        for (let times = this.#random.integer(2, 5); times > 0; times--) await this.#kill(step, [some], 1500);
        return;
      case 'rolling-restart':
        for (const node of nodes.plan.nodes) await this.#restart(step, node);
        return;
      case 'stop-broker':
        return this.#restart(step, some);
      case 'create-topic': {
        const name = `extra-${this.#topics++}`;
        await this.#options.admin.createTopic(
          name,
          { partitions: 4, replicationFactor: 3 },
          { timeoutMs: 8000 },
        );
        say(`  ${name} is created`);
        return;
      }
    }
  }

  async #kill(step: string, targets: readonly (NodePlan | undefined)[], longestMs = 9000): Promise<void> {
    const { nodes, failovers, say } = this.#options;
    const victims = targets.filter((node) => node !== undefined && nodes.isRunning(node.id)) as NodePlan[];
    if (victims.length === 0) return;
    failovers.note(step, nodes.allUp);
    say(`  ${step}: kill -9 ${victims.map(({ name }) => name).join(', ')}`);
    await Promise.all(victims.map(({ id }) => nodes.end(id, 'SIGKILL')));
    await pause(this.#random.integer(0, longestMs));
    for (const node of victims) nodes.start(node);
  }

  async #pause(step: string, targets: readonly (NodePlan | undefined)[]): Promise<void> {
    const { nodes, say } = this.#options;
    const victims = targets.filter((node) => node !== undefined && nodes.isUp(node.id)) as NodePlan[];
    if (victims.length === 0) return;
    const forMs = Math.round(100 * 150 ** this.#random.float());
    say(`  ${step}: SIGSTOP ${victims.map(({ name }) => name).join(', ')} for ${forMs} ms`);
    for (const { id } of victims) nodes.pause(id);
    await pause(forMs);
    for (const { id } of victims) nodes.resume(id);
  }

  async #restart(step: string, node: NodePlan | undefined): Promise<void> {
    const { nodes, say } = this.#options;
    if (node === undefined || !nodes.isRunning(node.id)) return;
    if (node.role === 'broker') this.#options.failovers.note(step, nodes.allUp);
    say(`  ${step}: SIGTERM ${node.name}`);
    const beganMs = performance.now();
    const late = setTimeout(() => void nodes.end(node.id, 'SIGKILL'), 20_000);
    await nodes.end(node.id, 'SIGTERM');
    clearTimeout(late);
    const tookMs = performance.now() - beganMs;
    if (tookMs > 8000) say(`  ${node.name} took ${Math.round(tookMs)} ms to stop`);
    nodes.start(node);
    for (let waited = 0; waited < 50 && nodes.isRunning(node.id) && !nodes.isReady(node.id); waited++)
      await pause(100);
  }

  async #leader(): Promise<NodePlan | undefined> {
    const { admin, nodes, topic } = this.#options;
    const { partitions } = await admin.describeTopic(topic, { timeoutMs: 3000 });
    const leaderId = partitions[this.#random.integer(0, partitions.length)]?.leaderId;
    return nodes.plan.nodes.find(({ id }) => id === leaderId);
  }

  async #activeController(): Promise<NodePlan | undefined> {
    const { admin, nodes } = this.#options;
    const { leaderId } = await admin.describeQuorum({ timeoutMs: 3000 });
    return nodes.plan.nodes.find(({ id }) => id === leaderId);
  }

  #pick(from: readonly NodePlan[], count: number): NodePlan[] {
    const left = [...from];
    const picked: NodePlan[] = [];
    while (picked.length < count && left.length > 0)
      picked.push(...left.splice(this.#random.integer(0, left.length), 1));
    return picked;
  }
}
