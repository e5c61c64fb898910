/** All lanes between the places of a cluster: which are cut, and which places stand still. */
import type { NodeId } from '../../../base/index.ts';
import type { Timers } from '../../../env/index.ts';
import { Lane } from './lane.ts';

/** A node by its id, or the clients that the test cluster made, which share a place. */
export type Place = NodeId | 'clients';

export class Links {
  readonly #timers: Timers;
  readonly #lanes = new Map<string, Lane>();
  /** By lane: how many cuts are upon it. */
  readonly #cuts = new Map<string, number>();
  readonly #paused = new Set<Place>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** From a place to itself: blocked while it stands still. */
  lane(from: Place, to: Place): Lane {
    const key = `${from}>${to}`;
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const pauses = [...this.#paused].filter((place) => place === from || place === to).length;
    const lane = new Lane(this.#timers, pauses + (this.#cuts.get(key) ?? 0));
    this.#lanes.set(key, lane);
    return lane;
  }

  /** Nothing goes from any of `from` to any of `to` any more. Gives what undoes it, once. */
  cut(from: readonly Place[], to: readonly Place[]): () => void {
    const pairs = from.flatMap((a) => to.filter((b) => b !== a).map((b) => [a, b] as const));
    for (const [a, b] of pairs) this.#addCuts(a, b, 1);
    let isCut = true;
    return () => {
      if (!isCut) return;
      isCut = false;
      for (const [a, b] of pairs) this.#addCuts(a, b, -1);
    };
  }

  /** What comes from the place and goes to it waits until `resume`. */
  pause(place: Place): void {
    if (this.#paused.has(place)) return;
    for (const lane of this.#lanesOf(place)) lane.block();
    this.#paused.add(place);
  }

  resume(place: Place): void {
    if (this.#paused.delete(place)) for (const lane of this.#lanesOf(place)) lane.unblock();
  }

  #addCuts(from: Place, to: Place, by: 1 | -1): void {
    const key = `${from}>${to}`;
    const lane = this.lane(from, to);
    this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + by);
    if (by === 1) lane.block();
    else lane.unblock();
  }

  #lanesOf(place: Place): Lane[] {
    const name = String(place);
    return [...this.#lanes].filter(([key]) => key.split('>').includes(name)).map(([, lane]) => lane);
  }
}
