/** Who reads what: each reader's place in each partition, whether it goes on where it was, and what lies where it passes. */
import type { Offset, TopicPartition } from '../../base/index.ts';
import type { Case, PartitionCase } from './case.ts';
import type { Assign, Ends, HistoryEvent, PolledPartition, PolledRecord } from './history.ts';
import type { PartitionLog } from './partition-log.ts';
import { isCorrupted } from './payload.ts';
import { NO_SEND } from './values.ts';
import type { AnomalyKind } from './verdict.ts';

/** What one process knows of one partition. */
interface View {
  readonly partition: PartitionCase;
  log: PartitionLog;
  /** First offset of what it has read in one go, and the next one it expects. -1: its place is unknown. */
  start: Offset;
  next: Offset;
  /** Set between an assignment to the end and the first record: that must not lie before `floor`. */
  tail: { readonly floor: Offset; readonly assignedAt: number } | undefined;
  /** What it has seen of the end, in whatever way. */
  seenEnd: Offset;
  epoch: number;
  highWatermark: Offset;
  lastEvent: number;
}

/** The least end that may be told of a partition. It counts only as long as that has the same log. */
interface Floor {
  readonly log: PartitionLog;
  readonly end: Offset;
}

/** Of a question for ends, or an assignment, under way. */
type Floors = ReadonlyMap<PartitionCase, Floor>;

/** A read of a value that nobody had sent. */
export interface EarlyRead {
  readonly partition: PartitionCase;
  readonly offset: Offset;
  readonly event: number;
}

const UNKNOWN = -1;

export class Readers {
  /** By number of the value. */
  readonly early = new Map<number, EarlyRead>();
  readonly #case: Case;
  readonly #views = new Map<string, Map<PartitionCase, View>>();
  readonly #open = new Map<number, Floors>();

  constructor(judged: Case) {
    this.#case = judged;
  }

  handlePoll(event: HistoryEvent, polled: readonly PolledPartition[]): void {
    if (event.type === 'info') this.#forgetPlaces(event.process);
    if (event.type !== 'ok') return;
    this.#case.count('polls');
    if (polled.every(({ records }) => records.length === 0)) this.#case.count('empty-polls');
    for (const one of polled) {
      const partition = this.#case.partition(one.topic, one.partition);
      partition.handleLogStart(one.logStartOffset);
      const view = this.#view(event.process, partition);
      this.#checkHighWatermark(view, one, event);
      this.#take(view, one.records, event);
      view.lastEvent = event.index;
    }
  }

  handleAssign(event: HistoryEvent, { positions }: Assign): void {
    if (event.type === 'invoke') this.#open.set(event.index, this.#floors(event.process, positions));
    const floors = this.#settle(event);
    if (event.type === 'invoke' || event.type === 'fail') return;
    this.#case.count('assigns');
    for (const { topic, partition: id, from } of positions) {
      const partition = this.#case.partition(topic, id);
      const view = this.#view(event.process, partition);
      this.#leave(view);
      if (view.log !== partition.log) view.seenEnd = 0;
      view.log = partition.log;
      if (event.type === 'info' || from === undefined) continue;
      if (from === 'end') view.tail = { floor: floorOf(floors, partition), assignedAt: event.index };
      else view.start = view.next = from === 'beginning' ? 0 : from;
    }
  }

  handleEnds(event: HistoryEvent, { partitions }: Ends): void {
    if (event.type === 'invoke') this.#open.set(event.index, this.#floors(event.process, partitions));
    const floors = this.#settle(event);
    if (event.type !== 'ok') return;
    this.#case.count('ends');
    for (const { topic, partition: id, end, logStartOffset } of partitions) {
      const partition = this.#case.partition(topic, id);
      partition.handleLogStart(logStartOffset);
      if (end === undefined) continue;
      const view = this.#view(event.process, partition);
      const log = partition.log;
      const floor = floorOf(floors, partition);
      if (end < floor && log.isStrict) {
        const message = `${event.process} is told that ${topic}-${id} ends at ${end}; before it asked, ${floor} was known`;
        this.#report('stale-read', partition, message, end, [event.invokedAt ?? UNKNOWN, event.index]);
      }
      view.seenEnd = Math.max(view.seenEnd, end);
      log.raiseEnd(end);
    }
  }

  handleCrash(process: string): void {
    this.#case.count('crashes');
    this.#forgetPlaces(process);
    this.#views.delete(process);
  }

  /** What is read from here on is read finally; readers keep their places. */
  handleFinal(): void {
    for (const views of this.#views.values())
      for (const view of views.values()) {
        view.log.covered.add(view.start, view.next);
        view.start = view.next;
      }
  }

  /** Nothing more comes. */
  finish(): void {
    for (const process of this.#views.keys()) this.#forgetPlaces(process);
  }

  #take(view: View, records: readonly PolledRecord[], event: HistoryEvent): void {
    let isInner = false;
    for (const [offset, value] of records) {
      if (view.next === UNKNOWN) this.#arrive(view, offset, event);
      else if (offset > view.next) this.#jump(view, offset, isInner, event);
      else if (offset < view.next) this.#goBack(view, offset, value, isInner, event);
      view.next = offset + 1;
      isInner = true;
      this.#see(view, offset, value, event.index);
    }
    this.#case.count('polled', records.length);
    if (this.#isFinal(event.index)) this.#case.count('polled-finally', records.length);
    view.seenEnd = Math.max(view.seenEnd, view.next);
    view.log.raiseEnd(view.next);
  }

  /** The first record of a reader whose place nobody knew. */
  #arrive(view: View, offset: Offset, { process, index: event }: HistoryEvent): void {
    const { tail, partition, log } = view;
    view.start = offset;
    view.tail = undefined;
    if (tail === undefined || !log.isStrict) return;
    log.tailStarts.push({ offset, assignedAt: tail.assignedAt, process, event });
    if (offset >= tail.floor) return;
    const message = `${process} was assigned to the end of ${partition.topic.name}-${partition.id} and began at ${offset}; before, ${tail.floor} was known`;
    this.#report('stale-read', partition, message, offset, [tail.assignedAt, event]);
  }

  #jump(view: View, to: Offset, isInner: boolean, { process, index }: HistoryEvent): void {
    // After a loss, a log may end before a reader's place and grow past it.
    if (!isInner && !view.log.isStrict) return;
    view.log.jumps.push({ from: view.next, to, isInner, process, events: [view.lastEvent, index] });
  }

  #goBack(view: View, to: Offset, value: string, isInner: boolean, { process, index }: HistoryEvent): void {
    const { next, partition } = view;
    this.#cover(view);
    view.start = to;
    if (!isInner && !view.log.isStrict) return;
    const kind = isInner ? 'int-nonmonotonic-poll' : 'nonmonotonic-poll';
    const message = `${process} expected ${partition.place(next)} and got ${to}`;
    this.#report(kind, partition, message, to, [view.lastEvent, index], value);
  }

  /** One record that somebody got. */
  #see(view: View, offset: Offset, name: string, event: number): void {
    const { partition, log } = view;
    if (isCorrupted(name)) {
      const message = `${partition.place(offset)}: the payload is not as it was sent: ${name}`;
      this.#report('corrupted-payload', partition, message, offset, [event], name);
      return;
    }
    const { values } = this.#case;
    let id = partition.topic.values.get(name);
    if (id === undefined) {
      id = values.add(name, NO_SEND);
      partition.topic.values.set(name, id);
      this.early.set(id, { partition, offset, event });
    }
    values.markRead(id, event, this.#isFinal(event));
    const there = log.at(offset);
    const isKnown = there > 0 && values.resolve(there - 1) === id;
    if (isKnown) return;
    const isExpected = there === 0 || (there < 0 && values.sendOf(id) === -there - 1);
    if (isExpected || !log.isStrict) log.put(offset, id + 1, event);
    else this.#contradict(view, offset, name, event);
  }

  #contradict({ partition, log }: View, offset: Offset, value: string, event: number): void {
    const there = log.at(offset);
    const before =
      there > 0
        ? `"${this.#case.values.nameOf(there - 1)}" was`
        : `something of the send at ${-there - 1} is said to be`;
    const message = `${partition.place(offset)}: "${value}" is read where ${before}`;
    const events = [log.toldBy(offset), event];
    this.#report('inconsistent-offsets', partition, message, offset, events, value);
  }

  #checkHighWatermark(view: View, polled: PolledPartition, { process, index }: HistoryEvent): void {
    const { highWatermark, leaderEpoch, records } = polled;
    if (highWatermark === undefined) return;
    const { partition } = view;
    const beyond = records.find(([offset]) => offset >= highWatermark);
    if (beyond !== undefined) {
      const [offset, value] = beyond;
      const message = `${process} read ${partition.place(offset)}; the high watermark was ${highWatermark}`;
      this.#report('uncommitted-read', partition, message, offset, [index], value);
    }
    if (leaderEpoch === undefined) return;
    if (leaderEpoch === view.epoch && highWatermark < view.highWatermark) {
      const message = `${process} is told the high watermark ${highWatermark} of ${partition.topic.name}-${partition.id} after ${view.highWatermark}, both in leader epoch ${leaderEpoch}`;
      const events = [view.lastEvent, index];
      this.#report('high-watermark-regression', partition, message, highWatermark, events);
    }
    view.epoch = leaderEpoch;
    view.highWatermark = highWatermark;
  }

  /** The least end that an answer to a question asked now may tell. */
  #floors(process: string, partitions: readonly TopicPartition[]): Floors {
    const isForAll = this.#case.finalAt !== Infinity || this.#case.options.realtimeEnds === true;
    const floors = new Map<PartitionCase, Floor>();
    for (const { topic, partition: id } of partitions) {
      const partition = this.#case.partition(topic, id);
      const view = this.#view(process, partition);
      const { log } = partition;
      const own = view.log === log ? view.seenEnd : 0;
      floors.set(partition, { log, end: isForAll ? Math.max(own, log.visibleEnd) : own });
    }
    return floors;
  }

  #settle({ type, invokedAt }: HistoryEvent): Floors | undefined {
    if (type === 'invoke' || invokedAt === undefined) return undefined;
    const floors = this.#open.get(invokedAt);
    this.#open.delete(invokedAt);
    return floors;
  }

  #view(process: string, partition: PartitionCase): View {
    const views = this.#views.get(process) ?? new Map<PartitionCase, View>();
    if (views.size === 0) this.#views.set(process, views);
    let view = views.get(partition);
    if (view === undefined) {
      view = newView(partition);
      views.set(partition, view);
    }
    const present = partition.presentOf(view.log);
    if (present !== view.log) {
      this.#cover(view);
      view.start = view.next;
      view.log = present;
      view.seenEnd = 0;
    }
    return view;
  }

  #forgetPlaces(process: string): void {
    for (const view of this.#views.get(process)?.values() ?? []) this.#leave(view);
  }

  #leave(view: View): void {
    this.#cover(view);
    view.start = view.next = UNKNOWN;
    view.tail = undefined;
  }

  #cover({ partition, log, start, next }: View): void {
    log.covered.add(start, next);
    if (this.#case.finalAt !== Infinity && log === partition.log) log.coveredFinally.add(start, next);
  }

  #isFinal(event: number): boolean {
    return event > this.#case.finalAt;
  }

  #report(
    kind: AnomalyKind,
    partition: PartitionCase,
    message: string,
    offset: Offset,
    events: readonly number[],
    value?: string,
  ): void {
    this.#case.findings.add(kind, message, {
      topic: partition.topic.name,
      partition: partition.id,
      offset,
      ...(value === undefined ? {} : { value }),
      events,
    });
  }
}

function floorOf(floors: Floors | undefined, partition: PartitionCase): Offset {
  const floor = floors?.get(partition);
  return floor?.log === partition.log ? floor.end : 0;
}

function newView(partition: PartitionCase): View {
  return {
    partition,
    log: partition.log,
    start: UNKNOWN,
    next: UNKNOWN,
    tail: undefined,
    seenEnd: 0,
    epoch: UNKNOWN,
    highWatermark: UNKNOWN,
    lastEvent: UNKNOWN,
  };
}
