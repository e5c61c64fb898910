/**
 * Histories of a correct cluster: a few partitions with uncommitted tails, changes of leaders, deletions and losses beyond the
 * budget; producers that retry, give up and are told late; consumers that are reassigned, crash and are told old ends. All
 * that a correct cluster may do is done, nothing else, so every such history is valid.
 */
import { SeededRandom, shuffle } from '../../../src/base/index.ts';
import {
  type AssignedPosition,
  type CheckOptions,
  type HistoryEvent,
  HistoryRecorder,
  type Placement,
  type PolledPartition,
} from '../../../src/testing/checkers/index.ts';

export interface CleanHistory {
  readonly events: readonly HistoryEvent[];
  readonly options: CheckOptions;
}

/** A value on its way: copies of it wait in queues, lie in logs. */
interface Item {
  readonly value: string;
  readonly order: number;
  readonly producer: ModelProducer;
  readonly partition: ModelPartition;
  offset: number;
  isCommitted: boolean;
  /** Its send is not settled yet. */
  isOpen: boolean;
}

interface ModelProducer {
  readonly name: string;
  readonly isIdempotent: boolean;
  readonly acks: 0 | 1 | 'all';
}

class ModelPartition {
  readonly id: number;
  log: Item[] = [];
  highWatermark = 0;
  start = 0;
  epoch = 0;
  queue: Item[] = [];
  /** What a replica holds that has lost nothing, once the others have. */
  old: Item[] | undefined;

  constructor(id: number) {
    this.id = id;
  }

  append(item: Item): void {
    if (!item.isCommitted) item.offset = this.log.length;
    this.log.push(item);
  }

  commit(count: number): void {
    const end = Math.min(this.log.length, this.highWatermark + count);
    for (; this.highWatermark < end; this.highWatermark++) {
      const item = this.log[this.highWatermark] as Item;
      // Of several copies, the first that is committed is the one that is told of.
      if (!item.isCommitted) item.offset = this.highWatermark;
      item.isCommitted = true;
    }
  }

  /** The producers are forgotten: what each has in flight is taken in whatever order it comes. */
  forgetProducers(random: SeededRandom): void {
    const isMoved = ({ producer, isOpen }: Item): boolean => producer.isIdempotent && isOpen;
    const moved = shuffle(this.queue.filter(isMoved), random);
    this.queue = this.queue.map((item) => (isMoved(item) ? (moved.pop() as Item) : item));
  }

  /** Records from `length` on are gone; gives those that were not committed. */
  truncate(length: number): Item[] {
    const gone = this.log.splice(length);
    this.highWatermark = Math.min(this.highWatermark, length);
    return gone.filter(({ isCommitted }) => !isCommitted);
  }
}

/** What a consumer knows of a partition. */
interface Place {
  position: number;
  /** It has seen so much of the end. */
  seen: number;
  epoch: number;
  told: number;
  /** Reads the log of before the loss. */
  isOld: boolean;
}

const TOPIC = 't';

export function cleanHistory(seed: number): CleanHistory {
  return new CleanModel(seed).run();
}

class CleanModel {
  readonly #random: SeededRandom;
  readonly #recorder: HistoryRecorder;
  readonly #partitions: ModelPartition[];
  readonly #minInsync: number;
  readonly #mayLose: boolean;
  readonly #deletes: boolean;
  readonly #actors: Generator[] = [];
  #order = 0;
  #lossy = 0;
  #isFinal = false;
  /** Lanes and consumers at work. */
  #working = 0;

  constructor(seed: number) {
    const random = new SeededRandom(seed, 'clean');
    let timeMs = 0;
    this.#random = random;
    this.#recorder = new HistoryRecorder(() => timeMs++);
    this.#partitions = Array.from({ length: random.integer(1, 4) }, (_, id) => new ModelPartition(id));
    this.#minInsync = random.integer(1, 4);
    this.#mayLose = random.float() < 0.3;
    this.#deletes = random.float() < 0.3;
    const producers = random.integer(1, 4);
    for (let i = 0; i < producers; i++) {
      const acks = this.#chance(0.75) ? 'all' : this.#chance(0.5) ? 1 : 0;
      const isIdempotent = acks === 'all' && this.#chance(0.7);
      const lanes = random.integer(1, 4);
      const producer = { name: `p${i}`, isIdempotent, acks } as const;
      for (let lane = 0; lane < lanes; lane++) this.#work(this.#produce(producer, lane));
    }
    for (let i = random.integer(1, 4); i > 0; i--) this.#work(this.#consume(`c${i}`, random.integer(5, 60)));
  }

  run(): CleanHistory {
    const cluster = this.#serve();
    while (this.#working > 0) this.#step(cluster);
    if (this.#chance(0.7)) this.#finish(cluster);
    return {
      events: this.#recorder.events,
      options: { required: [], defaults: { minInsyncReplicas: this.#minInsync } },
    };
  }

  /** Everything is settled; then all is read once more. */
  #finish(cluster: Generator): void {
    for (const partition of this.#partitions) {
      partition.queue = [];
      partition.commit(partition.log.length);
    }
    this.#recorder.note('nemesis', { f: 'mark', mark: 'final' });
    this.#isFinal = true;
    for (let i = 0; i < 2; i++) this.#work(this.#readAll(`final-${i}`));
    if (this.#chance(0.5)) this.#work(this.#consume('late', 10));
    while (this.#working > 0) this.#step(cluster);
  }

  #step(cluster: Generator): void {
    const at = this.#random.integer(-2, this.#actors.length);
    const actor = this.#actors[at] ?? cluster;
    if (actor.next().done !== true) return;
    this.#actors.splice(at, 1);
    this.#working--;
  }

  #work(actor: Generator): void {
    this.#working++;
    this.#actors.push(actor);
  }

  #chance(part: number): boolean {
    return this.#random.float() < part;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random.integer(0, items.length)] as T;
  }

  /** What the cluster does by itself. */
  *#serve(): Generator {
    for (;;) {
      const partition = this.#pick(this.#partitions);
      if (this.#isFinal) {
        yield;
        continue;
      }
      const dice = this.#random.float();
      if (dice < 0.5) this.#appendSome(partition);
      else if (dice < 0.9) partition.commit(this.#random.integer(1, 6));
      else if (dice < 0.96) this.#changeLeader(partition);
      else if (dice < 0.97) this.#strike();
      else if (dice < 0.98 && this.#deletes) yield* this.#delete(partition);
      yield;
    }
  }

  /** The queue of an idempotent producer is taken in order; others' values come in any order, and some twice. */
  #appendSome(partition: ModelPartition): void {
    for (let count = this.#random.integer(1, 4); count > 0 && partition.queue.length > 0; count--) {
      const item = this.#pick(partition.queue);
      const first = item.producer.isIdempotent
        ? (partition.queue.find(({ producer }) => producer === item.producer) as Item)
        : item;
      partition.append(first);
      if (first.producer.isIdempotent || this.#chance(0.8)) removeFrom(partition.queue, first);
    }
  }

  /** The new leader lacks some of what was not committed. Producers send it again, or do not. */
  #changeLeader(partition: ModelPartition): void {
    partition.epoch++;
    const { highWatermark, log } = partition;
    const lost = partition.truncate(this.#random.integer(highWatermark, log.length + 1));
    for (const item of lost) {
      if (item.producer.acks !== 'all' || partition.log.includes(item)) continue;
      if (!partition.queue.includes(item)) partition.queue.push(item);
    }
    partition.queue.sort((a, b) => a.order - b.order);
  }

  /** A fault; a lossy one only within the budget, or else something is lost. */
  #strike(): void {
    const lossy = this.#chance(0.5) && (this.#mayLose || this.#lossy + 1 < this.#minInsync);
    const fault = lossy ? 'power-loss' : 'kill';
    this.#recorder.note('nemesis', { f: 'fault', fault, nodes: [1], ...(lossy ? { lossy } : {}) });
    if (!lossy) return;
    this.#lossy++;
    if (this.#lossy < this.#minInsync) {
      if (!this.#chance(0.3)) return;
      this.#recorder.note('nemesis', { f: 'mark', mark: 'whole' });
      this.#lossy = 0;
      return;
    }
    for (const partition of this.#partitions) {
      partition.old ??= partition.log.slice(0, partition.highWatermark);
      const { start, log } = partition;
      const lost = new Set(partition.truncate(this.#random.integer(start, log.length + 1)));
      partition.queue = partition.queue.filter((item) => !lost.has(item));
      if (this.#chance(0.5)) partition.forgetProducers(this.#random);
      partition.epoch++;
    }
  }

  *#delete(partition: ModelPartition): Generator {
    const before = this.#random.integer(partition.start, partition.highWatermark + 1);
    const pending = this.#recorder.invoke('admin', {
      f: 'delete-records',
      topic: TOPIC,
      partition: partition.id,
      before,
    });
    if (before <= partition.highWatermark && this.#chance(0.8)) partition.start = before;
    yield;
    if (this.#chance(0.5)) pending.ok();
    else pending.info(new Error('timed out'));
  }

  *#produce(producer: ModelProducer, lane: number): Generator {
    for (let left = this.#random.integer(3, 15); left > 0; left--) {
      yield;
      const isSpread = this.#chance(0.3);
      const chosen = this.#pick(this.#partitions);
      const items = Array.from({ length: this.#random.integer(1, 5) }, (_, index): Item => {
        const partition = isSpread ? this.#pick(this.#partitions) : chosen;
        const value = `${producer.name}.${lane}.${left}.${index}`;
        return {
          value,
          order: this.#order++,
          producer,
          partition,
          offset: -1,
          isCommitted: false,
          isOpen: true,
        };
      });
      const { name, acks, isIdempotent } = producer;
      const pending = this.#recorder.invoke(name, {
        f: 'send',
        topic: TOPIC,
        values: items.map(({ value }) => value),
        ...(isSpread ? {} : { partition: chosen.id }),
        ...(isIdempotent ? { producer: name } : {}),
        ...(acks === 'all' ? {} : { acks }),
      });
      for (const item of items) item.partition.queue.push(item);
      yield* this.#await(items, acks);
      const isDone = items.every((item) => isAcknowledged(item, acks));
      for (const item of items) item.isOpen = false;
      if (isDone && this.#chance(0.85)) {
        pending.ok(acks === 0 || this.#chance(0.1) ? {} : { placed: this.#placed(items) });
        // Nobody sends an acknowledged value again.
        for (const { partition } of items)
          partition.queue = partition.queue.filter((one) => acks === 0 || !items.includes(one));
      } else if (items.every(({ offset }) => offset < 0) && this.#chance(0.6)) {
        for (const { partition } of items)
          partition.queue = partition.queue.filter((one) => !items.includes(one));
        pending.fail(new Error('refused'));
      } else {
        const stays = this.#chance(0.5);
        if (!stays)
          for (const { partition } of items)
            partition.queue = partition.queue.filter((one) => !items.includes(one));
        pending.info(new Error('timed out'));
      }
    }
  }

  *#await(items: readonly Item[], acks: 0 | 1 | 'all'): Generator {
    for (let patience = this.#random.integer(1, 60); patience > 0; patience--) {
      if (items.every((item) => isAcknowledged(item, acks))) return;
      yield;
    }
  }

  /** As the client tells it: runs of values that lie together; the whole in one run only when it is in order. */
  #placed(items: readonly Item[]): Placement[] {
    const [first] = items;
    const isOneRun = items.every(
      ({ offset, partition }, index) =>
        partition === first?.partition && offset === (first?.offset ?? 0) + index,
    );
    const isTooLong = first?.producer.isIdempotent === true && this.#chance(0.1);
    if (isOneRun && first !== undefined)
      return [{ partition: first.partition.id, offset: isTooLong ? -1 : first.offset, count: items.length }];
    const runs = items.map(({ partition, offset }) => ({ partition: partition.id, offset, count: 1 }));
    return shuffle(runs, this.#random);
  }

  *#consume(name: string, turns: number): Generator {
    let places = new Map<ModelPartition, Place>();
    for (let turn = 0; turn < turns; turn++) {
      yield;
      const dice = this.#random.float();
      if (places.size === 0 || dice < 0.08) yield* this.#assign(name, places);
      else if (dice < 0.1) {
        this.#recorder.note(name, { f: 'crash' });
        places = new Map();
      } else if (dice < 0.2) yield* this.#ask(name, places);
      else yield* this.#poll(name, places);
    }
  }

  *#assign(name: string, places: Map<ModelPartition, Place>): Generator {
    const chosen = this.#partitions.filter(() => this.#chance(0.7));
    const positions = chosen.map((partition): AssignedPosition => {
      const froms = ['beginning', 'end', this.#random.integer(0, partition.highWatermark + 1), undefined];
      const from = this.#pick(froms) as 'beginning' | 'end' | number | undefined;
      return { topic: TOPIC, partition: partition.id, ...(from === undefined ? {} : { from }) };
    });
    const known = this.#isFinal ? chosen.map(({ highWatermark }) => highWatermark) : [];
    const pending = this.#recorder.invoke(name, { f: 'assign', positions });
    yield;
    for (const [index, partition] of chosen.entries()) {
      const from = positions[index]?.from;
      const place = this.#placeOf(places, partition);
      if (this.#isFinal) place.isOld = false;
      const lowest = Math.min(partition.highWatermark, Math.max(place.seen, known[index] ?? 0));
      if (from === 'beginning') place.position = 0;
      else if (typeof from === 'number') place.position = from;
      else place.position = this.#random.integer(lowest, partition.highWatermark + 1);
      place.seen = Math.max(place.seen, from === 'end' ? place.position : 0);
    }
    if (this.#chance(0.9)) pending.ok();
    else {
      pending.info(new Error('killed'));
      for (const partition of chosen) this.#placeOf(places, partition).position = 0;
    }
  }

  /** Whoever asks a deposed leader is told an old end, but not one before what it has seen itself. */
  *#ask(name: string, places: Map<ModelPartition, Place>): Generator {
    const asked = [...places.keys()].map(({ id }) => ({ topic: TOPIC, partition: id }));
    const lows = [...places].map(([partition, { seen }]) => (this.#isFinal ? partition.highWatermark : seen));
    const pending = this.#recorder.invoke(name, { f: 'ends', partitions: asked });
    yield;
    const partitions = [...places].map(([{ id, highWatermark }, place], index) => {
      const end = this.#random.integer(Math.min(highWatermark, lows[index] ?? 0), highWatermark + 1);
      place.seen = Math.max(place.seen, end);
      return { topic: TOPIC, partition: id, end };
    });
    if (this.#chance(0.9)) pending.ok({ partitions });
    else pending.info(new Error('timed out'));
  }

  *#poll(name: string, places: Map<ModelPartition, Place>): Generator {
    const pending = this.#recorder.invoke(name, { f: 'poll' });
    yield;
    const polled: PolledPartition[] = [];
    for (const [partition, place] of places)
      if (this.#chance(0.7)) polled.push(this.#fetch(partition, place));
    if (this.#chance(0.95)) {
      pending.ok({ polled });
      return;
    }
    // Who lost what it got does not know its place, nor what it had seen.
    pending.info(new Error('killed'));
    for (const place of places.values()) place.position = Math.max(0, place.position - 1);
  }

  /** Records are there as soon as they are committed; an answer may be old. */
  #fetch(partition: ModelPartition, place: Place): PolledPartition {
    const isOld = place.isOld && partition.old !== undefined && !this.#isFinal;
    const log = isOld ? (partition.old ?? []) : partition.log;
    const end = isOld ? log.length : partition.highWatermark;
    const lastTold = place.epoch === partition.epoch && !isOld ? Math.min(place.told, end) : 0;
    const told = this.#random.integer(lastTold, end + 1);
    if (place.position < partition.start) place.position = partition.start;
    const count = this.#random.integer(0, 6);
    const items = log.slice(place.position, Math.max(place.position, Math.min(place.position + count, told)));
    const records = items.map(({ value }, index) => [place.position + index, value] as const);
    place.position += records.length;
    place.seen = Math.max(place.seen, place.position);
    const answer = { topic: TOPIC, partition: partition.id, records };
    if (isOld || this.#chance(0.3)) return answer;
    Object.assign(place, { epoch: partition.epoch, told });
    return { ...answer, highWatermark: told, leaderEpoch: partition.epoch };
  }

  *#readAll(name: string): Generator {
    const partitions = this.#partitions.map(({ id }) => ({ topic: TOPIC, partition: id }));
    const positions = partitions.map((one) => ({ ...one, from: 'beginning' as const }));
    this.#recorder.invoke(name, { f: 'assign', positions }).ok();
    yield;
    const ends = this.#partitions.map(({ id, highWatermark: end }) => ({ topic: TOPIC, partition: id, end }));
    this.#recorder.invoke(name, { f: 'ends', partitions }).ok({ partitions: ends });
    const places = new Map<ModelPartition, Place>();
    for (const partition of this.#partitions) this.#placeOf(places, partition).isOld = false;
    const isBehind = ([{ highWatermark }, { position }]: [ModelPartition, Place]): boolean =>
      position < highWatermark;
    while ([...places].some(isBehind)) {
      yield;
      const pending = this.#recorder.invoke(name, { f: 'poll' });
      pending.ok({ polled: [...places].map(([partition, place]) => this.#fetch(partition, place)) });
    }
  }

  #placeOf(places: Map<ModelPartition, Place>, partition: ModelPartition): Place {
    const known = places.get(partition);
    if (known !== undefined) return known;
    const place = { position: 0, seen: 0, epoch: -1, told: 0, isOld: this.#chance(0.5) };
    places.set(partition, place);
    return place;
  }
}

function isAcknowledged(item: Item, acks: 0 | 1 | 'all'): boolean {
  if (acks === 0) return true;
  return acks === 'all' ? item.isCommitted : item.offset >= 0;
}

function removeFrom(queue: Item[], item: Item): void {
  queue.splice(queue.indexOf(item), 1);
}
