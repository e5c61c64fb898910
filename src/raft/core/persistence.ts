/**
 * Persist before send, in one place.
 *
 * Two lanes to the store, one save outstanding in each: the hard state, and the log. The lanes overlap, but a write of the
 * log starts only when the hard state is durable, so no entry of an epoch is stored before the epoch. Both lanes work on
 * levels, not edges: what changed while a save was under way goes together into the next one.
 *
 * Every message to another node waits for the newest hard state at the time it was made, whether it depends on it or not:
 * a rule without exceptions cannot be forgotten at one call site. In the steady state nothing is pending and nothing
 * waits. Source: Raft figure 2; KIP-595 (quorum-state is written before the transition).
 */
import { assert } from '../../base/index.ts';
import type { Effect, PersistToken } from './effects.ts';
import type { HardState } from './hard-state.ts';
import type { LogWrite, RaftLog } from './raft-log.ts';

type Message = Extract<Effect, { kind: 'send' | 'reply' }>;

export class Persistence {
  #effects: Effect[] = [];
  #held: { readonly version: number; readonly message: Message }[] = [];
  #sequence = 0;
  /** Versions of the hard state: current, being saved, durable. */
  #version = 0;
  #durableVersion = 0;
  #saving: { readonly token: PersistToken; readonly version: number } | undefined;
  #writing: { readonly token: PersistToken; readonly write: LogWrite } | undefined;

  /** Everything that has become due, in order; the caller carries it out. */
  takeEffects(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** A consequence inside this node: needs no durability. */
  emit(effect: Exclude<Effect, Message>): void {
    this.#effects.push(effect);
  }

  /** A message to another node: held back while the hard state is not durable. */
  sendAfterHardState(message: Message): void {
    if (this.isHardStateDurable) this.#effects.push(message);
    else this.#held.push({ version: this.#version, message });
  }

  hardStateChanged(): void {
    this.#version++;
  }

  get isHardStateDurable(): boolean {
    return this.#durableVersion === this.#version;
  }

  get isWritingLog(): boolean {
    return this.#writing !== undefined;
  }

  /** Starts what saves are due. Called once at the end of every step. */
  pump(hardState: () => HardState, log: RaftLog, sync: boolean): void {
    if (!this.isHardStateDurable) {
      if (this.#saving === undefined) {
        const token: PersistToken = { lane: 'hard-state', generation: 0, sequence: ++this.#sequence };
        this.#saving = { token, version: this.#version };
        this.#effects.push({ kind: 'save-hard-state', token, state: hardState() });
      }
      return;
    }
    if (this.#writing !== undefined) return;
    const write = log.takeWrite();
    if (write === undefined) return;
    const { generation, entries, truncateFrom } = write;
    const token: PersistToken = { lane: 'log', generation, sequence: ++this.#sequence };
    this.#writing = { token, write };
    const effect = { kind: 'write-log', token, entries, sync } as const;
    this.#effects.push(truncateFrom === undefined ? effect : { ...effect, truncateFrom });
  }

  /** The save named by `token` is durable: messages that waited for it go out, or the log's durable part grows. */
  complete(token: PersistToken, log: RaftLog): void {
    if (token.lane === 'hard-state') {
      assert(this.#saving?.token.sequence === token.sequence, 'only the outstanding save completes', {
        token,
      });
      this.#durableVersion = this.#saving?.version ?? 0;
      this.#saving = undefined;
      this.#release();
      return;
    }
    const writing = this.#writing;
    assert(writing?.token.sequence === token.sequence, 'only the outstanding write completes', { token });
    this.#writing = undefined;
    if (writing !== undefined) log.completeWrite(writing.write);
  }

  #release(): void {
    const waiting = this.#held.findIndex(({ version }) => version > this.#durableVersion);
    const released = this.#held.splice(0, waiting === -1 ? this.#held.length : waiting);
    for (const { message } of released) this.#effects.push(message);
  }
}
