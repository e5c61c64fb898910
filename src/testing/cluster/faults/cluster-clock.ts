import type { NodeId } from '../../../base/index.ts';
import type { Clock } from '../../../env/index.ts';

/** The dates of the nodes of a test cluster. Timers and timeouts go by other clocks, which nothing here touches. */
export class ClusterClock {
  readonly #nodes: readonly NodeId[];
  readonly #aheadMs = new Map<NodeId, number>();

  constructor(nodes: readonly NodeId[]) {
    this.#nodes = nodes;
  }

  /** The date jumps ahead by `ms` (back when negative), on one node or on all. Jumps add up until `reset`. */
  advance(ms: number, id?: NodeId): void {
    for (const node of id === undefined ? this.#nodes : [id])
      this.#aheadMs.set(node, this.aheadMs(node) + ms);
  }

  /** Milliseconds that the node's date is ahead of this machine's. */
  aheadMs(id: NodeId): number {
    return this.#aheadMs.get(id) ?? 0;
  }

  /** All dates are this machine's again. */
  reset(): void {
    this.#aheadMs.clear();
  }

  /** What node `id` sees of `clock`. */
  of(id: NodeId, clock: Clock): Clock {
    return {
      monotonicMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs() + this.aheadMs(id),
    };
  }
}
