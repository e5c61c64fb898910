/**
 * Values as numbers. They rise in the order of the sends, and within one send in its order: of two values of one producer,
 * the smaller one comes first.
 *
 * A value that is read before anybody sent it gets a number, too; when its send comes, it gets a second one, and the first
 * becomes another name for it.
 */
import { IntList } from './int-list.ts';

const READ = 1;
const READ_FINALLY = 2;
/** Of a value that nobody sent (yet). */
export const NO_SEND = -1;

export class Values {
  readonly #names: string[] = [];
  readonly #sends = new IntList();
  readonly #flags = new IntList();
  readonly #readBy = new IntList();
  readonly #aliases = new Map<number, number>();

  get count(): number {
    return this.#names.length;
  }

  add(name: string, send: number): number {
    this.#names.push(name);
    this.#sends.push(send);
    this.#flags.push(0);
    this.#readBy.push(-1);
    return this.#names.length - 1;
  }

  /** `early` is what `id` was called before it was sent. */
  rename(early: number, id: number): void {
    this.#aliases.set(early, id);
    this.#flags.set(id, this.#flags.at(early));
    this.#readBy.set(id, this.#readBy.at(early));
  }

  resolve(id: number): number {
    return this.#aliases.size === 0 ? id : (this.#aliases.get(id) ?? id);
  }

  nameOf(id: number): string {
    return this.#names[id] ?? '';
  }

  /** {@link NO_SEND}: nobody sent it. */
  sendOf(id: number): number {
    return this.#sends.at(id);
  }

  markRead(id: number, event: number, isFinal: boolean): void {
    const flags = this.#flags.at(id);
    if ((flags & READ) === 0) this.#readBy.set(id, event);
    this.#flags.set(id, flags | READ | (isFinal ? READ_FINALLY : 0));
  }

  isRead(id: number): boolean {
    return (this.#flags.at(id) & READ) !== 0;
  }

  isReadFinally(id: number): boolean {
    return (this.#flags.at(id) & READ_FINALLY) !== 0;
  }

  /** The first event that brought it, -1: none. */
  readBy(id: number): number {
    return this.#readBy.at(id);
  }
}
