/** A history that can be changed: what mutations are made of. */
import type { SeededRandom } from '../../../src/base/index.ts';
import type { HistoryEvent, Operation } from '../../../src/testing/checkers/index.ts';

type Writable<T> = T extends number
  ? number
  : T extends object
    ? { -readonly [K in keyof T]: Writable<T[K]> }
    : T;

export type DraftEvent = Writable<HistoryEvent>;
type DraftPart = {
  topic: string;
  partition: number;
  records: [number, string][];
  highWatermark?: number;
  logStartOffset?: number;
  leaderEpoch?: number;
};

/** One record of one poll. */
export interface Site {
  readonly event: DraftEvent;
  readonly part: DraftPart;
  readonly at: number;
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

/** The part of a poll that is about one partition, not empty. */
export interface PartSite {
  readonly event: DraftEvent;
  readonly part: DraftPart;
}

export interface DraftSend {
  readonly invoke: DraftEvent;
  readonly done: DraftEvent | undefined;
  readonly values: readonly string[];
  readonly partition: number | undefined;
  readonly producer: string | undefined;
  readonly acks: number | 'all';
  /** In `done`, when it tells. */
  readonly placed: { partition: number; offset: number; count: number }[];
}

export class Draft {
  events: DraftEvent[];
  readonly random: SeededRandom;
  /** As of the last change that was made by a method. */
  #sites: readonly Site[] | undefined;
  #sends: readonly DraftSend[] | undefined;
  #sendsByValue = new Map<string, DraftSend>();

  constructor(events: readonly HistoryEvent[], random: SeededRandom) {
    this.events = JSON.parse(JSON.stringify(events)) as DraftEvent[];
    this.random = random;
  }

  get history(): readonly HistoryEvent[] {
    return this.events as HistoryEvent[];
  }

  get finalAt(): number {
    return (
      this.events.find(({ operation }) => operation.f === 'mark' && operation.mark === 'final')?.index ?? -1
    );
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.random.integer(0, Math.max(1, items.length))];
  }

  parts(): PartSite[] {
    return this.events.flatMap(partsOf);
  }

  sites(): readonly Site[] {
    this.#sites ??= this.#findSites();
    return this.#sites;
  }

  #findSites(): Site[] {
    return this.parts().flatMap(({ event, part }) =>
      part.records.map(([offset, value], at) => ({
        event,
        part,
        at,
        partition: part.partition,
        offset,
        value,
      })),
    );
  }

  finalSites(): readonly Site[] {
    const { finalAt } = this;
    return this.sites().filter(({ event }) => finalAt >= 0 && event.index > finalAt);
  }

  readCount(partition: number, offset: number): number {
    return this.sites().filter((site) => site.partition === partition && site.offset === offset).length;
  }

  sends(): readonly DraftSend[] {
    if (this.#sends !== undefined) return this.#sends;
    this.#sends = this.#findSends();
    this.#sendsByValue = new Map(this.#sends.flatMap((send) => send.values.map((value) => [value, send])));
    return this.#sends;
  }

  #findSends(): DraftSend[] {
    const ends = new Map(this.events.map((event) => [event.invokedAt, event]));
    return this.events.flatMap((invoke) => {
      const { operation, type } = invoke;
      if (operation.f !== 'send' || type !== 'invoke') return [];
      const done = ends.get(invoke.index);
      const placed = done?.operation.f === 'send' && done.type === 'ok' ? (done.operation.placed ?? []) : [];
      const { values, partition, producer, acks = 'all' } = operation;
      return [{ invoke, done, values, partition, producer, acks, placed }];
    });
  }

  sendOf(value: string): DraftSend | undefined {
    this.sends();
    return this.#sendsByValue.get(value);
  }

  /** Sends acknowledged by all, whose values lie in one known run. */
  acked(): (DraftSend & { readonly done: DraftEvent })[] {
    return this.sends().filter(
      (send): send is DraftSend & { done: DraftEvent } =>
        send.acks === 'all' && send.placed.length === 1 && (send.placed[0]?.offset ?? -1) >= 0,
    );
  }

  /** Values of {@link acked} with their places. */
  ackedValues(): {
    send: DraftSend & { readonly done: DraftEvent };
    value: string;
    partition: number;
    offset: number;
  }[] {
    return this.acked().flatMap((send) =>
      send.values.map((value, index) => ({
        send,
        value,
        partition: send.placed[0]?.partition ?? 0,
        offset: (send.placed[0]?.offset ?? 0) + index,
      })),
    );
  }

  /** Where the log of a partition ends, as far as anybody read it. */
  endOf(partition: number): number {
    return Math.max(0, ...this.sites().map((site) => (site.partition === partition ? site.offset + 1 : 0)));
  }

  removeRecords(isGone: (site: Site) => boolean): number {
    let count = 0;
    for (const site of this.#findSites().reverse())
      if (isGone(site)) {
        site.part.records.splice(site.at, 1);
        count++;
      }
    this.#sites = undefined;
    return count;
  }

  replaceValues(replacement: (site: Site) => string): void {
    this.#sites = undefined;
    for (const site of this.sites()) site.part.records[site.at] = [site.offset, replacement(site)];
  }

  /** The log of a partition is as if each offset were another; `move` rises. */
  moveOffsets(partition: number, move: (offset: number) => number): void {
    this.#sites = this.#sends = undefined;
    for (const { operation } of this.events) {
      if (operation.f === 'poll')
        for (const part of (operation.polled ?? []) as DraftPart[]) {
          if (part.partition !== partition) continue;
          part.records = part.records.map(([offset, value]) => [move(offset), value]);
          if (part.highWatermark !== undefined) part.highWatermark = move(part.highWatermark);
        }
      else if (operation.f === 'send')
        for (const one of operation.placed ?? [])
          if (one.partition === partition && one.offset >= 0) one.offset = move(one.offset);
      if (operation.f === 'ends')
        for (const one of operation.partitions)
          if (one.partition === partition && one.end !== undefined) one.end = move(one.end);
      if (operation.f === 'assign')
        for (const one of operation.positions)
          if (one.partition === partition && typeof one.from === 'number') one.from = move(one.from);
    }
  }

  /** What each final reader of a partition reads last, it reads before these records. */
  appendFinally(partition: number, ...values: string[]): boolean {
    const end = this.endOf(partition);
    const last = new Map<string, PartSite>();
    for (const site of this.parts())
      if (
        site.event.index > this.finalAt &&
        site.part.partition === partition &&
        site.part.records.length > 0
      )
        last.set(site.event.process, site);
    let count = 0;
    for (const { part } of last.values()) {
      if (part.records.at(-1)?.[0] !== end - 1) continue;
      part.records.push(...values.map((value, index): [number, string] => [end + index, value]));
      if (part.highWatermark !== undefined) part.highWatermark = end + values.length;
      count++;
    }
    return count > 0;
  }

  insert(at: number, process: string, operation: Operation): void {
    this.events.splice(at, 0, { index: -1, timeMs: 0, process, type: 'ok', operation } as DraftEvent);
    this.renumber();
  }

  /** Events happen later than they did: right behind another one. */
  postpone(events: readonly DraftEvent[], behind: DraftEvent): void {
    this.events = this.events.filter((event) => !events.includes(event));
    this.events.splice(this.events.indexOf(behind) + 1, 0, ...events);
    this.renumber();
  }

  renumber(): void {
    this.#sites = this.#sends = undefined;
    const indexes = new Map(this.events.map((event, place) => [event.index, place]));
    for (const [place, event] of this.events.entries()) {
      event.index = place;
      if (event.invokedAt !== undefined) event.invokedAt = indexes.get(event.invokedAt) ?? -1;
    }
  }
}

/** The parts of one event, when it is the end of a poll. */
export function partsOf(event: DraftEvent): PartSite[] {
  const { operation, type } = event;
  if (operation.f !== 'poll' || type !== 'ok') return [];
  return ((operation.polled ?? []) as DraftPart[]).map((part) => ({ event, part }));
}
