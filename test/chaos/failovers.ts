/**
 * How long a topic was unavailable after a kill: until each of its partitions acknowledged something that was sent after it.
 * Kills of a healthy cluster are told from those on top of something else.
 */
interface Failover {
  readonly step: string;
  readonly atMs: number;
  readonly wasHealthy: boolean;
  /** Partitions that have acknowledged nothing yet. */
  readonly waiting: Set<number>;
}

export class Failovers {
  readonly #topic: string;
  readonly #partitions: number;
  #open: Failover[] = [];
  readonly #tookMs = new Map<string, number[]>();

  constructor(topic: string, partitions: number) {
    this.#topic = topic;
    this.#partitions = partitions;
  }

  note(step: string, wasHealthy: boolean): void {
    const waiting = new Set(Array.from({ length: this.#partitions }, (_, partition) => partition));
    this.#open.push({ step, atMs: performance.now(), wasHealthy, waiting });
  }

  handleAck(topic: string, partition: number, sentMs: number): void {
    if (topic !== this.#topic) return;
    for (const one of this.#open) {
      if (sentMs <= one.atMs || !one.waiting.delete(partition) || one.waiting.size > 0) continue;
      const kind = `${one.step}${one.wasHealthy ? '' : ' (on top)'}`;
      const list = this.#tookMs.get(kind) ?? [];
      list.push(performance.now() - one.atMs);
      this.#tookMs.set(kind, list);
    }
    this.#open = this.#open.filter(({ waiting }) => waiting.size > 0);
  }

  /** Milliseconds by kind of kill. */
  get tookMs(): ReadonlyMap<string, readonly number[]> {
    return this.#tookMs;
  }
}

export interface Silence {
  readonly partition: number;
  readonly tookMs: number;
  readonly endedMs: number;
}

/** The longest time in which some partition acknowledged nothing. */
export class Silences {
  readonly #lastMs = new Map<number, number>();
  #longest: Silence | undefined;

  /** When the load began. */
  begin(partitions: number): void {
    for (let partition = 0; partition < partitions; partition++)
      this.#lastMs.set(partition, performance.now());
  }

  handleAck(partition: number): void {
    const endedMs = performance.now();
    const tookMs = endedMs - (this.#lastMs.get(partition) ?? endedMs);
    this.#lastMs.set(partition, endedMs);
    if (tookMs > (this.#longest?.tookMs ?? 0)) this.#longest = { partition, tookMs, endedMs };
  }

  /** undefined: nothing was ever acknowledged. */
  get longest(): Silence | undefined {
    return this.#longest;
  }
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
}
