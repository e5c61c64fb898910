/**
 * The door of a listener: everybody who wants to talk to it connects here, is told apart by the address it comes from, and
 * is connected on, as the rule for it allows. Both directions of each pair (source, listener) have a mode of their own.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../../../src/base/index.ts';
import type { Address } from '../../../src/rpc/api/index.ts';
import { Pipe } from './pipe.ts';
import { isHeld, type LinkMode, PASS } from './shape.ts';

/** Who connects: the id of a node, or a client. */
export type Source = number | 'client';

export interface Rule {
  /** From the source to the listener. */
  readonly there: LinkMode;
  readonly back: LinkMode;
}

/** What happens once to connections that are open. */
export type Strike =
  | { readonly kind: 'reset'; readonly afterBytes: number; readonly direction: 'there' | 'back' }
  | { readonly kind: 'flip'; readonly where: 'payload' | 'anywhere'; readonly direction: 'there' | 'back' }
  /** The listener's side is gone; the source is not told. */
  | { readonly kind: 'half-open' };

interface Connection {
  readonly source: Source;
  readonly near: Socket;
  far: Socket | undefined;
  there: Pipe | undefined;
  back: Pipe | undefined;
  isHalfOpen: boolean;
}

const OPEN_RULE: Rule = { there: PASS, back: PASS };
const CONNECTIONS_MAX = 4096;

export class Gate {
  readonly #upstream: Address;
  readonly #sourceOf: (address: string) => Source;
  readonly #random: Random;
  readonly #server: Server;
  readonly #rules = new Map<Source, Rule>();
  readonly #connections = new Set<Connection>();
  #everybody: Rule = OPEN_RULE;
  /** Bits that were flipped. */
  flips = 0;

  constructor(upstream: Address, sourceOf: (address: string) => Source, random: Random) {
    this.#upstream = upstream;
    this.#sourceOf = sourceOf;
    this.#random = random;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
      this.#accept(socket),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Resolves with the port. */
  listen({ host, port }: Address): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  /** `source` absent: for everybody, and no exceptions any more. */
  set(rule: Rule, source?: Source): void {
    if (source === undefined) {
      this.#rules.clear();
      this.#everybody = rule;
    } else this.#rules.set(source, rule);
    for (const connection of this.#connections) this.#apply(connection);
  }

  /** Gives how many connections are concerned. */
  strike(strike: Strike, source?: Source): number {
    let count = 0;
    for (const connection of this.#connections) {
      const { far, there, back } = connection;
      if (far === undefined || (source !== undefined && connection.source !== source)) continue;
      count++;
      if (strike.kind === 'half-open') {
        there?.swallow();
        back?.swallow();
        connection.isHalfOpen = true;
        far.removeAllListeners('error').on('error', () => {});
        far.removeAllListeners('end').resetAndDestroy();
        continue;
      }
      const pipe = strike.direction === 'there' ? there : back;
      if (strike.kind === 'reset') pipe?.resetAfter(strike.afterBytes);
      else pipe?.flipNext(strike.where, () => this.flips++);
    }
    return count;
  }

  /** Strikes that wait for bytes are called off. */
  disarm(): void {
    for (const { there, back } of this.#connections) {
      there?.disarm();
      back?.disarm();
    }
  }

  /** What went half-open is reset at last. */
  sweep(): void {
    for (const { near, isHalfOpen } of this.#connections) if (isHalfOpen) near.resetAndDestroy();
  }

  close(): void {
    this.#server.close();
    for (const { near, far } of this.#connections) {
      near.destroy();
      far?.destroy();
    }
  }

  #accept(near: Socket): void {
    const source = this.#sourceOf(near.remoteAddress ?? '');
    const connection: Connection = {
      source,
      near,
      far: undefined,
      there: undefined,
      back: undefined,
      isHalfOpen: false,
    };
    this.#connections.add(connection);
    near.on('error', () => {});
    near.once('close', () => this.#forget(connection));
    this.#apply(connection);
  }

  #apply(connection: Connection): void {
    const rule = this.#rules.get(connection.source) ?? this.#everybody;
    // Whoever comes while a direction is cut is not connected on: no handshake would get through.
    if (connection.far === undefined && !isHeld(rule.there) && !isHeld(rule.back))
      this.#connectOn(connection);
    if (connection.there !== undefined) connection.there.mode = rule.there;
    if (connection.back !== undefined) connection.back.mode = rule.back;
  }

  #connectOn(connection: Connection): void {
    const { near } = connection;
    if (near.destroyed) return;
    const far = connect({ ...this.#upstream, allowHalfOpen: true, noDelay: true });
    connection.far = far;
    connection.there = new Pipe(near, far, this.#random);
    connection.back = new Pipe(far, near, this.#random);
    far.once('close', () => this.#forget(connection));
    near.resume();
  }

  /** When both sides are closed; one may have yet to hear what the other said last. */
  #forget(connection: Connection): void {
    const { near, far } = connection;
    if (near.destroyed && far?.destroyed !== false) this.#connections.delete(connection);
  }
}
