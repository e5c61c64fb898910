/**
 * A network in memory: the loopback of fast tests, and the one that simulations trouble.
 *
 * Messages cross as the same protobuf bytes that gRPC carries. Without a delay they arrive in the microtask
 * queue; with one, by the given timers, so that a scheduler of virtual time decides when. Connections keep
 * order and lose nothing but themselves, as TCP's do: a lost message is a broken connection, a cut link
 * holds what it carries until it heals. What gRPC does not promise can be withdrawn: calls overtake one
 * another (never the messages of one call), and a unary request is executed twice, as by a retry on the way,
 * while its caller gets one outcome.
 */
import { assert, EnvironmentError, type Random } from '../../base/index.ts';
import { type Logger, SILENT, type Timers } from '../../env/index.ts';
import { type Address, formatAddress, type ServedServices, type Transport } from '../api/index.ts';
import { MemoryConnection } from './connection.ts';
import type { DuplicatesHost } from './duplicates.ts';
import { DUPLICATE_LATE_MS_MAX, FIRST_FREE_PORT, OVERTAKEN_MS_MAX } from './limits.ts';
import { MemoryListener } from './listener.ts';
import { MemoryNode } from './node.ts';
import type { Links } from './pipe.ts';
import { type MemoryCall, Session } from './session.ts';

export interface MemoryNetworkOptions {
  /** For deadlines, graces and delays. */
  readonly timers: Timers;
  /** Asked for each message: milliseconds from node to node. Absent: no delay, no timer. */
  readonly delayMs?: (from: string, to: string) => number;
  /** By which what is sent to a node arrives there. Absent: by `timers`. */
  readonly arrivals?: (node: string) => Timers;
  /** Chance of each message to break its connection, drawn from `random`. Default 0. */
  readonly lossRate?: number;
  /** Chance of each call, there and back, that others overtake it, drawn from `random`. Default 0. */
  readonly reorderRate?: number;
  /** Chance of each unary request to be executed a second time, drawn from `random`. Default 0. */
  readonly duplicateRate?: number;
  /**
   * Asked for each duplicate: milliseconds after the first arrival. Absent: below a minute, each order of
   * magnitude as likely as another, drawn from `random`.
   */
  readonly duplicateLateMs?: () => number;
  /**
   * Number of the turn of virtual time. What is sent on one connection within a turn then arrives together. Absent:
   * each message by itself.
   */
  readonly turn?: () => number;
  readonly random?: Random;
  readonly logger?: Logger;
}

export interface MemoryNetwork {
  /**
   * Of one node, by name. After `kill` of that name: of its next life. `timers`: the node's own, for the deadlines of its
   * calls; absent: those of the network.
   */
  transport(node: string, timers?: Timers): Transport;
  /**
   * The process of `node` is gone: its connections break at the other ends, itself it neither sends nor
   * hears.
   */
  kill(node: string): void;
  /** `node` hears nothing until it resumes; what is sent to it waits. Its timers and its disk are the caller's to stop. */
  pause(node: string): void;
  resume(node: string): void;
  /** From now on nothing from `from` reaches `to`; the other direction is not touched. */
  cut(from: string, to: string): void;
  /** Ends a cut (both names), or all; what was held goes on. */
  heal(from?: string, to?: string): void;
  /** Changes the chance of loss from now on. */
  setLossRate(rate: number): void;
  /** Changes the chance of calls, from now on, to be overtaken by others. */
  setReorderRate(rate: number): void;
  /**
   * Changes the chance of unary requests, from now on, to be executed twice. The second time may be long
   * after the answer, the deadline or the end of the caller. It runs under a deadline of its own; the end of
   * its listener, by `close` or `kill`, comes before it.
   */
  setDuplicateRate(rate: number): void;
  /** Breaks every connection between the two, both ways, as a lost message does. */
  break(a: string, b: string): void;
}

export function createMemoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  return new Network(options);
}

class Network implements MemoryNetwork, Links, DuplicatesHost {
  readonly timers: Timers;
  readonly logger: Logger;
  readonly #options: MemoryNetworkOptions;
  readonly #nodes = new Map<string, MemoryNode>();
  readonly #listeners = new Map<string, { readonly listener: MemoryListener; readonly node: MemoryNode }>();
  /** Whose an address is or was last: a cut link stays cut while its node is down. */
  readonly #owners = new Map<string, string>();
  readonly #cuts = new Set<string>();
  readonly #paused = new Set<string>();
  #lossRate = 0;
  #reorderRate = 0;
  #duplicateRate = 0;
  #whenHealed: (() => void)[] = [];
  #nextPort = FIRST_FREE_PORT;

  constructor(options: MemoryNetworkOptions) {
    this.#options = options;
    this.timers = options.timers;
    this.logger = options.logger ?? SILENT;
    this.setLossRate(options.lossRate ?? 0);
    this.setReorderRate(options.reorderRate ?? 0);
    this.setDuplicateRate(options.duplicateRate ?? 0);
  }

  transport(node: string, timers = this.timers): Transport {
    return new MemoryTransport(this, this.#node(node), timers);
  }

  #node(name: string): MemoryNode {
    let node = this.#nodes.get(name);
    if (node === undefined) {
      node = new MemoryNode(name);
      this.#nodes.set(name, node);
    }
    return node;
  }

  kill(name: string): void {
    const node = this.#node(name);
    node.dead = true;
    this.#nodes.delete(name);
    this.#paused.delete(name);
    for (const session of [...node.sessions]) session.endedBy(node);
    for (const listener of [...node.listeners]) this.unbind(listener, node);
  }

  pause(node: string): void {
    this.#paused.add(node);
  }

  resume(node: string): void {
    this.#paused.delete(node);
    this.#wake();
  }

  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`);
  }

  heal(from?: string, to?: string): void {
    if (from === undefined || to === undefined) this.#cuts.clear();
    else this.#cuts.delete(`${from}>${to}`);
    this.#wake();
  }

  #wake(): void {
    for (const task of this.#whenHealed.splice(0)) task();
  }

  setLossRate(rate: number): void {
    this.#assertRate(rate);
    this.#lossRate = rate;
  }

  setReorderRate(rate: number): void {
    this.#assertRate(rate);
    this.#reorderRate = rate;
  }

  setDuplicateRate(rate: number): void {
    this.#assertRate(rate);
    this.#duplicateRate = rate;
  }

  #assertRate(rate: number): void {
    assert(rate === 0 || this.#options.random !== undefined, 'faults need a source of chance');
  }

  break(a: string, b: string): void {
    for (const session of [...this.#node(a).sessions])
      if (session.client.name === b || session.server.name === b) session.break();
  }

  turn(): number | undefined {
    return this.#options.turn?.();
  }

  isCut(from: string, to: string): boolean {
    return this.#paused.has(to) || this.#cuts.has(`${from}>${to}`);
  }

  draw(): boolean {
    return this.#happens(this.#lossRate);
  }

  drawOvertakenMs(): number {
    return this.#happens(this.#reorderRate) ? this.#chance() * OVERTAKEN_MS_MAX : 0;
  }

  drawLateMs(): number | undefined {
    if (!this.#happens(this.#duplicateRate)) return undefined;
    return this.#options.duplicateLateMs?.() ?? DUPLICATE_LATE_MS_MAX ** this.#chance() - 1;
  }

  /** Draws only for what may happen: a fault that is off does not shift the others. */
  #happens(rate: number): boolean {
    return rate > 0 && this.#chance() < rate;
  }

  #chance(): number {
    const { random } = this.#options;
    assert(random !== undefined, 'faults need a source of chance');
    return random.float();
  }

  later(from: string, to: string, task: () => void): void {
    if (this.#options.delayMs === undefined) queueMicrotask(task);
    else (this.#options.arrivals?.(to) ?? this.timers).after(this.#options.delayMs(from, to), task);
  }

  whenHealed(task: () => void): void {
    this.#whenHealed.push(task);
  }

  bind(address: Address, services: ServedServices, node: MemoryNode): MemoryListener {
    const port = address.port === 0 ? this.#freePort() : address.port;
    const bound = { host: address.host, port };
    const name = formatAddress(bound);
    if (this.#listeners.has(name))
      throw new EnvironmentError('address-in-use', name, `${name} is in use by another program`);
    const listener = new MemoryListener(bound, services, {
      logger: this.logger,
      closed: (closed) => this.unbind(closed, node),
      later: (delayMs, task) => this.timers.after(delayMs, task),
      duplicates: this,
    });
    this.#listeners.set(name, { listener, node });
    this.#owners.set(name, node.name);
    node.listeners.add(listener);
    return listener;
  }

  #freePort(): number {
    return this.#nextPort++;
  }

  unbind(listener: MemoryListener, node: MemoryNode): void {
    const name = formatAddress(listener.address);
    if (this.#listeners.get(name)?.listener === listener) this.#listeners.delete(name);
    node.listeners.delete(listener);
    listener.accepting = false;
    listener.dropDuplicates();
  }

  dial(address: Address, client: MemoryNode): Session {
    const name = formatAddress(address);
    const owner = this.#owners.get(name) ?? address.host;
    return new Session(name, client, this.#node(owner), this);
  }

  accept(call: MemoryCall, address: Address): ReturnType<MemoryListener['handle']> | undefined {
    const { session } = call;
    const listener = session.accept(() => {
      const found = this.#listeners.get(formatAddress(address));
      return found?.node === session.server ? found.listener : undefined;
    });
    return listener?.handle(call);
  }
}

class MemoryTransport implements Transport {
  readonly #network: Network;
  readonly #node: MemoryNode;
  readonly #timers: Timers;
  readonly #listeners = new Set<MemoryListener>();
  readonly #connections = new Set<MemoryConnection>();

  constructor(network: Network, node: MemoryNode, timers: Timers) {
    this.#network = network;
    this.#node = node;
    this.#timers = timers;
  }

  async serve(address: Address, services: ServedServices): Promise<MemoryListener> {
    this.#assertAlive(address);
    const listener = this.#network.bind(address, services, this.#node);
    this.#listeners.add(listener);
    return listener;
  }

  connect(address: Address): MemoryConnection {
    const connection = new MemoryConnection(address, {
      timers: this.#timers,
      dial: (to) => this.#network.dial(to, this.#node),
      accept: (call, to) => this.#network.accept(call, to),
      closed: (closed) => this.#connections.delete(closed),
    });
    this.#connections.add(connection);
    return connection;
  }

  #assertAlive(address: Address): void {
    if (this.#node.dead)
      throw new EnvironmentError('closed', formatAddress(address), `${this.#node.name} has been killed`);
  }

  async close(): Promise<void> {
    for (const connection of [...this.#connections]) connection.close();
    await Promise.all([...this.#listeners].map((listener) => listener.close(0)));
  }
}
