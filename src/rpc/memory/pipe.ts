/**
 * One direction of one simulated connection: what is pushed arrives later, once, in order, or never.
 *
 * As TCP does, a pipe whose link is cut holds what it carries until the link heals; a lost segment is not a
 * lost message but the break of the whole connection, which is the session's to make of `lost`. A pipe may
 * be overtaken: its first arrival waits, and whatever follows waits behind it, while other pipes go on.
 */
import type { Timers } from '../../env/index.ts';
import type { MemoryNode } from './node.ts';

/** What pipes need of the network they are part of. */
export interface Links {
  readonly timers: Timers;
  /** Number of the turn of virtual time, if there is one: nothing arrives within a turn. */
  turn(): number | undefined;
  isCut(from: string, to: string): boolean;
  /** True: this message does not make it. */
  draw(): boolean;
  /** How long the messages of a call that begins now wait for others to pass; 0: not at all. */
  drawOvertakenMs(): number;
  /** Runs `task` after the link's delay, never inside this call. */
  later(from: string, to: string, task: () => void): void;
  /** Calls `task` when a link has healed. */
  whenHealed(task: () => void): void;
}

export class Pipe {
  readonly #links: Links;
  readonly #from: MemoryNode;
  readonly #to: MemoryNode;
  readonly #lost: () => void;
  /** Segments under way; what is pushed in one turn shares one, as a TCP segment carries several frames. */
  #queue: (() => void)[][] = [];
  /** In which the last segment was begun; undefined: it is under way, or turns are not told. */
  #turn: number | undefined;
  /** Arrivals that wait for the link to heal, or for others to overtake. */
  #stalled = 0;
  #overtakenMs: number;
  #held = false;

  constructor(links: Links, from: MemoryNode, to: MemoryNode, lost: () => void, overtakenMs = 0) {
    this.#links = links;
    this.#from = from;
    this.#to = to;
    this.#lost = lost;
    this.#overtakenMs = overtakenMs;
  }

  /** Subject to loss. */
  push(deliver: () => void): void {
    if (this.#from.dead) return;
    if (this.#links.draw()) this.#lost();
    else this.pushSurely(deliver);
  }

  /** For what the system itself says of a connection (FIN, RST): late perhaps, but not lost. */
  pushSurely(deliver: () => void): void {
    const turn = this.#links.turn();
    const last = this.#queue.at(-1);
    if (last !== undefined && turn !== undefined && turn === this.#turn) {
      last.push(deliver);
      return;
    }
    this.#turn = turn;
    this.#queue.push([deliver]);
    this.#schedule();
  }

  /** Nothing that is under way arrives. */
  clear(): void {
    this.#queue = [];
  }

  #schedule(): void {
    this.#links.later(this.#from.name, this.#to.name, () => this.#arrive());
  }

  #arrive(): void {
    if (this.#queue.length === 0 || this.#to.dead) return;
    if (this.#overtakenMs > 0) this.#hold();
    const isCut = this.#links.isCut(this.#from.name, this.#to.name);
    if (!this.#held && !isCut) {
      for (const deliver of this.#queue.shift() ?? []) deliver();
      return;
    }
    if (this.#stalled++ > 0 || this.#held) return;
    this.#links.whenHealed(() => this.#resume());
  }

  #hold(): void {
    const heldMs = this.#overtakenMs;
    this.#overtakenMs = 0;
    this.#held = true;
    this.#links.timers.after(heldMs, () => {
      this.#held = false;
      this.#resume();
    });
  }

  #resume(): void {
    const arrivals = this.#stalled;
    this.#stalled = 0;
    for (let i = 0; i < arrivals; i++) this.#schedule();
  }
}
