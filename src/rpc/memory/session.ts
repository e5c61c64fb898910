/**
 * A simulated connection between two nodes, and the calls on it. All calls of a session share its fate, as
 * calls over one TCP connection do. Only bytes, words and credit cross.
 */
import { EnvironmentError, type ErrorName } from '../../base/index.ts';
import type { AnyMethod } from '../protobuf/index.ts';
import type { MemoryListener } from './listener.ts';
import type { MemoryNode } from './node.ts';
import { type Links, Pipe } from './pipe.ts';

/** A refusal as it crosses. */
export interface WireError {
  readonly code: ErrorName;
  readonly message: string;
}

/** The caller's end of a call. `end` comes last, once. */
export interface ClientEnd {
  reply(bytes: Buffer, taken: () => void): void;
  end(error: WireError | EnvironmentError | undefined): void;
}

/** The implementation's end of a call. */
export interface ServerEnd {
  request(bytes: Buffer, taken: () => void): void;
  halfClose(): void;
  /** The caller is not there any more. */
  gone(error: EnvironmentError): void;
}

export function disconnected(peer: string): EnvironmentError {
  return new EnvironmentError('disconnected', peer, `the connection to ${peer} broke`);
}

export function unreachable(peer: string): EnvironmentError {
  return new EnvironmentError('unreachable', peer, `cannot connect to ${peer}: nobody listens`);
}

export class Session {
  readonly peer: string;
  readonly client: MemoryNode;
  readonly server: MemoryNode;
  readonly forward: Pipe;
  readonly backward: Pipe;
  readonly calls = new Set<MemoryCall>();
  /** False: over, new calls need another session. */
  usable = true;
  #listener: MemoryListener | undefined;
  #ended = false;

  constructor(peer: string, client: MemoryNode, server: MemoryNode, links: Links) {
    this.peer = peer;
    this.client = client;
    this.server = server;
    const lost = (): void => this.break();
    this.forward = new Pipe(links, client, server, lost);
    this.backward = new Pipe(links, server, client, lost);
    client.sessions.add(this);
    server.sessions.add(this);
  }

  /** Whoever listens when the first call arrives; a session outlives no listener. */
  accept(find: () => MemoryListener | undefined): MemoryListener | undefined {
    this.#listener ??= find();
    return this.#listener?.accepting === true ? this.#listener : undefined;
  }

  /** The connection broke: both sides hear of it, what was under way is lost. */
  break(): void {
    this.forward.clear();
    this.backward.clear();
    this.#over([this.client, this.server]);
  }

  /**
   * One side has closed the connection, or died: the other hears of it through the link, behind what was
   * sent before, and so not while the link is cut.
   */
  endedBy(side: MemoryNode): void {
    this.#over([side === this.client ? this.server : this.client]);
  }

  /** New calls need another session; those under way go on. */
  retire(): void {
    this.usable = false;
    this.client.sessions.delete(this);
    this.server.sessions.delete(this);
  }

  #over(told: readonly MemoryNode[]): void {
    if (this.#ended) return;
    this.#ended = true;
    this.retire();
    const calls = [...this.calls];
    if (told.includes(this.server)) this.forward.pushSurely(() => this.#endServer(calls));
    if (told.includes(this.client)) this.backward.pushSurely(() => this.#endClient(calls));
  }

  #endServer(calls: readonly MemoryCall[]): void {
    for (const call of calls) call.serverGone(disconnected(this.client.name));
  }

  #endClient(calls: readonly MemoryCall[]): void {
    for (const call of calls) call.clientEnd(disconnected(this.peer));
  }
}

/** One call on a session: what one end says, the other hears later. */
export class MemoryCall {
  readonly method: AnyMethod;
  readonly session: Session;
  readonly #client: ClientEnd;
  #server: ServerEnd | undefined;
  #clientOver = false;
  #serverOver = false;

  constructor(session: Session, method: AnyMethod, client: ClientEnd) {
    this.session = session;
    this.method = method;
    this.#client = client;
  }

  /** `accept` makes the server's end where the call arrives; undefined: nobody listens there. */
  open(accept: (call: MemoryCall) => ServerEnd | undefined): void {
    this.session.calls.add(this);
    this.session.forward.push(() => {
      this.#server = accept(this);
      if (this.#server !== undefined) return;
      this.#serverOver = true;
      this.session.retire();
      this.session.backward.push(() => this.clientEnd(unreachable(this.session.peer)));
    });
  }

  sendRequest(bytes: Buffer, taken: () => void): void {
    this.session.forward.push(() => {
      if (!this.#serverOver) this.#server?.request(bytes, () => this.session.backward.push(taken));
    });
  }

  halfClose(): void {
    this.session.forward.push(() => {
      if (!this.#serverOver) this.#server?.halfClose();
    });
  }

  /** By the caller; its own end is over with it. */
  cancel(): void {
    this.#clientOver = true;
    this.session.forward.push(() => this.serverGone(disconnected(this.session.client.name)));
    this.#maybeForget();
  }

  sendReply(bytes: Buffer, taken: () => void): void {
    this.session.backward.push(() => {
      if (!this.#clientOver) this.#client.reply(bytes, () => this.session.forward.push(taken));
    });
  }

  /** By the implementation; its own end is over with it. */
  finish(error: WireError | undefined): void {
    this.#serverOver = true;
    this.session.backward.push(() => this.clientEnd(error));
    this.#maybeForget();
  }

  clientEnd(error: WireError | EnvironmentError | undefined): void {
    if (this.#clientOver) return;
    this.#clientOver = true;
    this.#client.end(error);
    this.#maybeForget();
  }

  serverGone(error: EnvironmentError): void {
    if (this.#serverOver) return;
    this.#serverOver = true;
    this.#server?.gone(error);
    this.#maybeForget();
  }

  get served(): boolean {
    return !this.#serverOver;
  }

  #maybeForget(): void {
    if (this.#clientOver && this.#serverOver) this.session.calls.delete(this);
  }
}
