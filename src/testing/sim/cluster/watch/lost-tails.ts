/**
 * With write caching: what the replicas of one partition may lack since their machines lost power. Each lacks at most what its
 * disk had not, until it has again what it had.
 */
import type { NodeId, Offset } from '../../../../base/index.ts';
import { LawBroken } from '../law-broken.ts';
import { type DurableFiles, DurableLog } from './durable-log.ts';

/** A replica from the start of its broker to its end. */
interface Life {
  readonly directory: string;
  readonly end: Offset;
}

interface LostTail {
  /** Where its log ended. */
  readonly end: Offset;
  /** Where the log on its disk ended, and so ends now. */
  readonly durable: Offset;
}

export class LostTails {
  /** The last of each replica. */
  readonly #lives = new Map<NodeId, Life>();
  readonly #lost = new Map<NodeId, LostTail>();

  /** A replica is there again. */
  live(broker: NodeId, life: Life): void {
    this.#lives.set(broker, life);
  }

  /** A machine is about to forget what it had not synced. */
  losePower(broker: NodeId, files: DurableFiles): void {
    const life = this.#lives.get(broker);
    if (life === undefined) return;
    const disk = new DurableLog(files, life.directory);
    disk.advance();
    this.#lost.set(broker, { end: Math.max(life.end, this.#lost.get(broker)?.end ?? 0), durable: disk.end });
  }

  /** A replica knows that it has all that is committed below `highWatermark`. */
  fill(broker: NodeId, highWatermark: Offset): void {
    const lost = this.#lost.get(broker);
    if (lost !== undefined && highWatermark >= lost.end) this.#lost.delete(broker);
  }

  /** True when power loss explains that its log ends at `end`. Throws LawBroken when it does not explain so much. */
  explain(broker: NodeId, end: Offset): boolean {
    const lost = this.#lost.get(broker);
    if (lost !== undefined && end < lost.durable)
      throw new LawBroken('power loss takes nothing that is durable', { broker, ...lost, now: end });
    return lost !== undefined;
  }
}
