/**
 * How the nodes of a run reach one another, and what is done to that. A link is directed: from a node or the clients to a
 * node. Either each node is in a namespace of its own, and cuts lose packets, or all share a loopback, and cuts hold bytes
 * back in the gates; everything else is done by gates in both.
 */
import { freePorts } from '../../../src/env/node/index.ts';
import { type Address, formatAddress } from '../../../src/rpc/api/index.ts';
import type { ClusterPlan, NodePlan } from '../../../src/server/index.ts';
import type { Source, Strike } from './gate.ts';
import { type GatePlan, GateProcess } from './gates.ts';
import { Namespaces } from './namespaces.ts';
import { type LinkMode, PASS } from './shape.ts';

export type NetworkKind = 'namespaces' | 'loopback';

/** What a node's process needs to be where it belongs. */
export interface Place {
  readonly prefix: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly nodeArguments: readonly string[];
}

const PRELOAD = ['--import', new URL('node-preload.ts', import.meta.url).href];
/** In a namespace nobody else has ports: a node listens at these, its gates at those plus 10,000. */
const PORTS: Readonly<Record<string, number>> = { CLIENT: 19_092, REPLICA: 19_192, CONTROLLER: 19_093 };
const GATE_PORT_BELOW = 10_000;
const LOOPBACK = '127.0.0.1';

export class Network {
  readonly kind: NetworkKind;
  /** With the addresses that others use, the gates'. */
  readonly plan: ClusterPlan;
  readonly #namespaces: Namespaces | undefined;
  readonly #gates: readonly GateProcess[];
  /** Those that are not PASS, by `from>to`. */
  readonly #modes = new Map<string, LinkMode>();

  private constructor(
    kind: NetworkKind,
    plan: ClusterPlan,
    gates: readonly GateProcess[],
    namespaces?: Namespaces,
  ) {
    this.kind = kind;
    this.plan = plan;
    this.#gates = gates;
    this.#namespaces = namespaces;
  }

  static async create(kind: NetworkKind, plan: ClusterPlan, seed: number): Promise<Network> {
    if (kind === 'loopback') {
      const gates = await loopbackGates(plan);
      const sources = Object.fromEntries(plan.nodes.map(({ id }) => [loopbackOf(plan, id), id]));
      return new Network(kind, through(plan, gates), [await GateProcess.start({ gates, sources, seed })]);
    }
    const ids = plan.nodes.map(({ id }) => id);
    const namespaces = await Namespaces.create(ids);
    const gates = namespaceGates(plan, namespaces);
    const sources = Object.fromEntries(ids.map((id) => [namespaces.addressOf(id), id]));
    const processes = ids.map((id) =>
      GateProcess.start(
        { gates: gates.filter(({ node }) => node === id), sources, seed },
        namespaces.prefixOf(id),
      ),
    );
    return new Network(kind, through(plan, gates), await Promise.all(processes), namespaces);
  }

  placeOf(id: number): Place {
    if (this.#namespaces !== undefined)
      return { prefix: this.#namespaces.prefixOf(id), environment: {}, nodeArguments: PRELOAD };
    const environment = { CHAOS_SOURCE: loopbackOf(this.plan, id) };
    return { prefix: [], environment, nodeArguments: PRELOAD };
  }

  /** One direction of everything between two of them, whoever connected to whom. */
  async setLink(from: Source, to: Source, mode: LinkMode): Promise<void> {
    const before = this.#modes.get(`${from}>${to}`) ?? PASS;
    if (mode.kind === 'pass') this.#modes.delete(`${from}>${to}`);
    else this.#modes.set(`${from}>${to}`, mode);
    const wasCut = before.kind === 'hold';
    const isCut = mode.kind === 'hold';
    if (this.#namespaces !== undefined && (wasCut || isCut)) {
      await this.#namespaces.setLink(from, to, isCut);
      if (isCut) return;
    }
    await Promise.all([this.#setGate(to, from), this.#setGate(from, to)]);
  }

  get isWhole(): boolean {
    return this.#modes.size === 0;
  }

  /** Gives how many connections from `source` to `node` were struck. */
  async strike(node: number, source: Source, strike: Strike): Promise<number> {
    const counts = await Promise.all(
      this.#gates.map((gate) => gate.order({ kind: 'strike', node, source, strike })),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async heal(): Promise<void> {
    for (const link of [...this.#modes.keys()]) {
      const [from, to] = link.split('>').map(sourceIn);
      if (from !== undefined && to !== undefined) await this.setLink(from, to, PASS);
    }
    await this.disarm();
    await this.sweep();
  }

  /** Half-open connections are reset. */
  async sweep(): Promise<void> {
    await Promise.all(this.#gates.map((gate) => gate.order({ kind: 'sweep' })));
  }

  /** Strikes that still wait for bytes would strike when nobody expects them any more. */
  async disarm(): Promise<void> {
    await Promise.all(this.#gates.map((gate) => gate.order({ kind: 'disarm' })));
  }

  async countFlips(): Promise<number> {
    const counts = await Promise.all(this.#gates.map((gate) => gate.order({ kind: 'count-flips' })));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async remove(): Promise<void> {
    for (const gate of this.#gates) gate.stop();
    await this.#namespaces?.remove();
  }

  async #setGate(node: Source, source: Source): Promise<void> {
    if (node === 'client') return;
    const rule = { there: this.#gateMode(source, node), back: this.#gateMode(node, source) };
    await Promise.all(this.#gates.map((gate) => gate.order({ kind: 'rule', node, source, rule })));
  }

  /** Where there are namespaces, cuts are not the gates' business. */
  #gateMode(from: Source, to: Source): LinkMode {
    const mode = this.#modes.get(`${from}>${to}`) ?? PASS;
    return this.#namespaces !== undefined && mode.kind === 'hold' ? PASS : mode;
  }
}

async function loopbackGates(plan: ClusterPlan): Promise<GatePlan[]> {
  const listeners = listenersOf(plan);
  const ports = await freePorts(2 * listeners.length);
  return listeners.map(({ node, listener }, index) => ({
    node: node.id,
    listener,
    listen: { host: LOOPBACK, port: ports[2 * index] ?? 0 },
    upstream: { host: LOOPBACK, port: ports[2 * index + 1] ?? 0 },
  }));
}

function namespaceGates(plan: ClusterPlan, namespaces: Namespaces): GatePlan[] {
  return listenersOf(plan).map(({ node, listener }) => {
    const port = PORTS[listener] ?? 0;
    return {
      node: node.id,
      listener,
      listen: { host: namespaces.addressOf(node.id), port: port - GATE_PORT_BELOW },
      upstream: { host: LOOPBACK, port },
    };
  });
}

function listenersOf(plan: ClusterPlan): { node: NodePlan; listener: string }[] {
  return plan.nodes.flatMap((node) => Object.keys(node.listeners).map((listener) => ({ node, listener })));
}

/** The plan with gates in front: a node listens behind its own and tells everybody their addresses. */
function through(plan: ClusterPlan, gates: readonly GatePlan[]): ClusterPlan {
  const list = (id: number, which: 'listen' | 'upstream'): string =>
    gates
      .filter(({ node }) => node === id)
      .map((gate) => `${gate.listener}://${formatAddress(gate[which])}`)
      .join(',');
  const addressOf = (id: number, listener: string): Address =>
    gates.find((gate) => gate.node === id && gate.listener === listener)?.listen ?? { host: '', port: 0 };
  const controllers = plan.nodes.filter(({ role }) => role === 'controller');
  const voters = controllers.map(({ id }) => `${id}@${formatAddress(addressOf(id, 'CONTROLLER'))}`).join(',');
  const nodes = plan.nodes.map((node) => ({
    ...node,
    listeners: Object.fromEntries(
      Object.keys(node.listeners).map((listener) => [listener, addressOf(node.id, listener)]),
    ),
    settings: {
      ...node.settings,
      listeners: list(node.id, 'upstream'),
      'advertised.listeners': list(node.id, 'listen'),
      'controller.quorum.voters': voters,
    },
  }));
  const bootstrap = nodes
    .flatMap(({ listeners }) => listeners.CLIENT ?? [])
    .map(formatAddress)
    .join(',');
  return { ...plan, nodes, bootstrap };
}

function loopbackOf(plan: ClusterPlan, id: number): string {
  return `127.0.1.${1 + plan.nodes.findIndex((node) => node.id === id)}`;
}

function sourceIn(text: string): Source {
  return text === 'client' ? text : Number(text);
}
