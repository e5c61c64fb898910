/**
 * A simulated connection between two nodes, and the calls on it. All calls of a session share its fate, as
 * calls over one TCP connection do, but not their order: HTTP/2 promises that of one stream only, so that a
 * call which others overtake has pipes of its own. Only bytes, words and credit cross.
 */
import { EnvironmentError, type ErrorName } from '../../base/index.ts';
import type { AnyMethod } from '../protobuf/index.ts';
import { Credits } from './credits.ts';
import type { MemoryListener } from './listener.ts';
import type { MemoryNode } from './node.ts';
import { type Links, Pipe } from './pipe.ts';

/** A refusal as it crosses. */
export interface WireError {
  readonly code: ErrorName;
  readonly message: string;
}

/** Called where a message is taken out of its stream; absent: nobody waits for that. */
export type Taken = (() => void) | undefined;

/** The caller's end of a call. `end` comes last, once. */
export interface ClientEnd {
  reply(bytes: Buffer, taken: Taken): void;
  end(error: WireError | EnvironmentError | undefined): void;
}

/** The implementation's end of a call. */
export interface ServerEnd {
  request(bytes: Buffer, taken: Taken): void;
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
  readonly #links: Links;
  /** False: over, new calls need another session. */
  usable = true;
  #listener: MemoryListener | undefined;
  #ended = false;

  constructor(peer: string, client: MemoryNode, server: MemoryNode, links: Links) {
    this.peer = peer;
    this.client = client;
    this.server = server;
    this.#links = links;
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

  /** What carries a new call there: the pipe of all, or one of its own when others overtake it. */
  openForward(): Pipe {
    const overtakenMs = this.#links.drawOvertakenMs();
    if (overtakenMs === 0) return this.forward;
    return new Pipe(this.#links, this.client, this.server, () => this.break(), overtakenMs);
  }

  /** What carries back what is said on a new call. */
  openBackward(): Pipe {
    const overtakenMs = this.#links.drawOvertakenMs();
    if (overtakenMs === 0) return this.backward;
    return new Pipe(this.#links, this.server, this.client, () => this.break(), overtakenMs);
  }

  /**
   * The connection broke: both sides hear of it, what was under way is lost. What is sent into a connection
   * that has ended already is lost by itself; the news of the end is not.
   */
  break(): void {
    if (this.#ended) return;
    for (const pipe of [this.forward, this.backward]) pipe.clear();
    for (const { forward, backward } of this.calls) for (const pipe of [forward, backward]) pipe.clear();
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
    if (told.includes(this.server))
      for (const pipe of new Set([this.forward, ...calls.map(({ forward }) => forward)]))
        pipe.pushSurely(() => this.#endServer(calls.filter(({ forward }) => forward === pipe)));
    if (told.includes(this.client))
      for (const pipe of new Set([this.backward, ...calls.map(({ backward }) => backward)]))
        pipe.pushSurely(() => this.#endClient(calls.filter(({ backward }) => backward === pipe)));
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
  /** Travels with the request, as grpc-timeout does; undefined: none. */
  readonly timeoutMs: number | undefined;
  readonly forward: Pipe;
  readonly backward: Pipe;
  /** Of the requests, and of the replies, that were taken. */
  #requestCredits: Credits | undefined;
  #replyCredits: Credits | undefined;
  readonly #client: ClientEnd;
  #server: ServerEnd | undefined;
  #clientOver = false;
  #serverOver = false;

  constructor(session: Session, method: AnyMethod, client: ClientEnd, timeoutMs?: number) {
    this.session = session;
    this.method = method;
    this.timeoutMs = timeoutMs;
    this.forward = session.openForward();
    this.backward = session.openBackward();
    this.#client = client;
  }

  /** `accept` makes the server's end where the call arrives; undefined: nobody listens there. */
  open(accept: (call: MemoryCall) => ServerEnd | undefined): void {
    this.session.calls.add(this);
    this.forward.push(() => {
      this.#server = accept(this);
      if (this.#server !== undefined) return;
      this.#serverOver = true;
      this.session.retire();
      this.backward.push(() => this.clientEnd(unreachable(this.session.peer)));
    });
  }

  /** `taken`: when the implementation has taken it. Without one nobody waits for that. */
  sendRequest(bytes: Buffer, taken?: () => void): void {
    if (taken !== undefined) this.#requestCredits ??= new Credits(this.backward);
    const told = taken && (() => this.#requestCredits?.take(bytes.length, taken));
    this.forward.push(() => {
      if (!this.#serverOver) this.#server?.request(bytes, told);
    });
  }

  halfClose(): void {
    this.forward.push(() => {
      if (!this.#serverOver) this.#server?.halfClose();
    });
  }

  /** By the caller; its own end is over with it. */
  cancel(): void {
    this.#clientOver = true;
    this.forward.push(() => this.serverGone(disconnected(this.session.client.name)));
    this.#maybeForget();
  }

  /** `taken`: when the caller has taken it. Without one nobody waits for that. */
  sendReply(bytes: Buffer, taken?: () => void): void {
    if (taken !== undefined) this.#replyCredits ??= new Credits(this.forward);
    const told = taken && (() => this.#replyCredits?.take(bytes.length, taken));
    this.backward.push(() => {
      if (!this.#clientOver) this.#client.reply(bytes, told);
    });
  }

  /** A whole reply that came by another way; the caller takes whichever comes first. */
  answer(reply: Buffer | undefined, error: WireError | undefined): void {
    if (this.#clientOver) return;
    if (reply !== undefined) this.#client.reply(reply, undefined);
    this.clientEnd(error);
  }

  /** Hands the call to `end` where it is, without a way there. */
  arrived(end: ServerEnd): void {
    this.#server = end;
  }

  /** By the implementation; its own end is over with it. */
  finish(error: WireError | undefined): void {
    this.#serverOver = true;
    this.backward.push(() => this.clientEnd(error));
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
