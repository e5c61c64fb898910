/**
 * How long a topic was unavailable after a kill: until each of its partitions acknowledged something that was sent after it.
 *
 * Three classes, never mixed. What the cluster can do without: enough brokers for min.insync.replicas and a majority of the
 * controllers stay, nothing else is wrong, and all partitions acknowledge what is sent; the clock runs from the kill. What it
 * needs: nothing can be acknowledged before somebody starts nodes again, so the clock runs from the start of the last of them.
 * On top: something else was wrong, or went wrong before the first acknowledgement, so that the time says nothing about this
 * kill; from the kill.
 */
export const KILL_CLASSES = ['spare', 'needed', 'on-top'] as const;

export type KillClass = (typeof KILL_CLASSES)[number];

/** What nobody should have to wait for longer. */
export const SLOW_MS = 2000;

export interface Failover {
  readonly step: string;
  readonly victims: string;
  readonly killedMs: number;
  killClass: KillClass;
  /** When the clock began to run; undefined: not yet. */
  sinceMs: number | undefined;
  /** Of the last partition; undefined: some have acknowledged nothing yet. */
  tookMs: number | undefined;
  /** All acknowledged something before a node was started again: nothing needed what was killed. */
  wasNeedless: boolean;
  /** When each partition acknowledged something first, after the clock began. */
  readonly ackedMs: Map<number, number>;
  /** By `partition: error`: how clients were refused meanwhile. When that ends before the first ack, replicas kept it waiting. */
  readonly refusals: Map<string, { times: number; untilMs: number }>;
  /** What was to be seen when it had taken too long. */
  sight: string;
}

export interface FailoversOptions {
  readonly topic: string;
  readonly partitions: number;
  readonly nowMs?: () => number;
  /** Leaders and in-sync sets of partitions, for people. */
  readonly look?: (partitions: readonly number[]) => Promise<string>;
}

export class Failovers {
  readonly #options: FailoversOptions;
  readonly #all: Failover[] = [];
  #open: Failover[] = [];
  #calmSinceMs = Number.NEGATIVE_INFINITY;
  /** When what was acknowledged was sent, at the latest; by partition. */
  readonly #sentMs = new Map<number, number>();

  constructor(options: FailoversOptions) {
    this.#options = options;
  }

  /** Before the kill. One that comes before the first acknowledgement of another spoils both. */
  note(step: string, killClass: KillClass, victims: string): Failover {
    const isAlone = this.#open.length === 0;
    this.disturb();
    const killedMs = this.#nowMs();
    const failover: Failover = {
      step,
      victims,
      killedMs,
      killClass: isAlone ? killClass : 'on-top',
      sinceMs: isAlone && killClass === 'needed' ? undefined : killedMs,
      tookMs: undefined,
      wasNeedless: false,
      ackedMs: new Map(),
      refusals: new Map(),
      sight: '',
    };
    this.#all.push(failover);
    this.#open.push(failover);
    if (failover.sinceMs !== undefined) this.#lookLater(failover);
    return failover;
  }

  /** The last of the victims was started again. */
  noteRestart(failover: Failover): void {
    if (failover.sinceMs !== undefined) return;
    failover.sinceMs = this.#nowMs();
    if (failover.tookMs === undefined) this.#lookLater(failover);
  }

  /** Something else goes wrong from now on. */
  disturb(): void {
    for (const one of this.#open) {
      one.killClass = 'on-top';
      one.sinceMs ??= one.killedMs;
    }
  }

  /** What went wrong is over. Whether it left something behind, what is sent from now on tells. */
  calm(): void {
    this.#calmSinceMs = this.#nowMs();
  }

  handleAck(topic: string, partition: number, sentMs: number): void {
    if (topic !== this.#options.topic) return;
    const nowMs = this.#nowMs();
    this.#sentMs.set(partition, Math.max(sentMs, this.#sentMs.get(partition) ?? 0));
    for (const one of this.#open) {
      if (sentMs <= one.killedMs || one.ackedMs.has(partition)) continue;
      one.ackedMs.set(partition, Math.max(0, nowMs - (one.sinceMs ?? nowMs)));
      if (one.ackedMs.size < this.#options.partitions) continue;
      one.wasNeedless = one.sinceMs === undefined;
      one.tookMs = Math.max(...one.ackedMs.values());
    }
    this.#open = this.#open.filter(({ tookMs }) => tookMs === undefined);
  }

  /** A client has to send a batch again. */
  handleRefusal(topic: string, partition: number, error: string): void {
    if (topic !== this.#options.topic) return;
    for (const one of this.#open) {
      if (one.ackedMs.has(partition)) continue;
      const kind = `${partition}: ${error}`;
      const times = (one.refusals.get(kind)?.times ?? 0) + 1;
      one.refusals.set(kind, { times, untilMs: this.#nowMs() - one.killedMs });
    }
  }

  /** Each partition acknowledged something that was sent after the last kill, and after the last thing that went wrong. */
  get isIdle(): boolean {
    const served = [...this.#sentMs.values()].filter((sentMs) => sentMs > this.#calmSinceMs).length;
    return this.#open.length === 0 && served === this.#options.partitions;
  }

  /** In the order of the kills; those that never came to an end are among them. */
  get all(): readonly Failover[] {
    return this.#all;
  }

  #nowMs(): number {
    return this.#options.nowMs?.() ?? performance.now();
  }

  #lookLater(failover: Failover): void {
    const { look, partitions } = this.#options;
    if (look === undefined) return;
    setTimeout(() => {
      const silent = Array.from({ length: partitions }, (_, index) => index).filter(
        (partition) => !failover.ackedMs.has(partition),
      );
      if (silent.length === 0) return;
      look(silent).then(
        (sight) => (failover.sight = sight),
        (error: unknown) => (failover.sight = `nobody says who leads: ${String(error)}`),
      );
    }, SLOW_MS).unref();
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
