/** What was sent, what became of it, and where it is said to lie. */
import { type Offset, type PartitionId, StartupError } from '../../base/index.ts';
import type { Case, PartitionCase, TopicCase } from './case.ts';
import type { HistoryEvent, OperationType, Placement, Send } from './history.ts';
import type { PartitionLog } from './partition-log.ts';

/** One operation `send`. Its values are the numbers [first, first + count). */
export interface Sending {
  readonly topic: TopicCase;
  /** -1: wherever the partitioner put each value. */
  readonly partition: PartitionId;
  readonly first: number;
  readonly count: number;
  readonly invokedAt: number;
  /** Of an idempotent producer, -1: the client may have written a value twice. */
  readonly producer: number;
  /** With acks=all: what is acknowledged is not lost by a mere change of the leader. */
  readonly isDurable: boolean;
  /** 'invoke': still open. */
  fate: OperationType;
  settledAt: number;
  /** Where the acknowledgement says the values lie; empty: it does not say. */
  placed: readonly Placed[];
}

export interface Placed {
  readonly partition: PartitionCase;
  readonly log: PartitionLog;
  /** -1: unknown. */
  readonly offset: Offset;
  readonly count: number;
}

/** How far a partition was acknowledged, as a function of time. */
interface Frontier {
  readonly events: number[];
  /** Ends of what was acknowledged, ascending. */
  readonly ends: Offset[];
}

const NOWHERE: readonly Placed[] = [];

export class Sends {
  readonly all: Sending[] = [];
  readonly #case: Case;
  readonly #open = new Map<number, number>();
  readonly #producers = new Map<string, number>();
  readonly #frontiers = new Map<PartitionLog, Frontier>();

  constructor(judged: Case) {
    this.#case = judged;
  }

  handle(event: HistoryEvent, operation: Send): void {
    if (event.type === 'invoke') this.#open.set(event.index, this.#begin(event.index, operation));
    else {
      const id = event.invokedAt === undefined ? this.#begin(event.index, operation) : this.#close(event);
      this.#settle(this.all[id] as Sending, id, event, operation);
    }
  }

  #close({ index, invokedAt = -1 }: HistoryEvent): number {
    const id = this.#open.get(invokedAt);
    if (id === undefined)
      throw new StartupError(`event ${index} settles ${invokedAt}, which is no open send`);
    this.#open.delete(invokedAt);
    return id;
  }

  #begin(index: number, { topic: name, partition = -1, values, acks = 'all', producer }: Send): number {
    const topic = this.#case.topic(name);
    const id = this.all.length;
    const sending: Sending = {
      topic,
      partition,
      first: this.#case.values.count,
      count: values.length,
      invokedAt: index,
      producer: producer === undefined ? -1 : this.#numberOf(producer),
      isDurable: acks === 'all',
      fate: 'invoke',
      settledAt: -1,
      placed: NOWHERE,
    };
    this.all.push(sending);
    for (const value of values) this.#register(sending, id, value);
    this.#case.count('sends');
    this.#case.count('sent', values.length);
    return id;
  }

  #register({ topic, invokedAt }: Sending, send: number, value: string): void {
    const { values, findings } = this.#case;
    const known = topic.values.get(value);
    const id = values.add(value, send);
    topic.values.set(value, id);
    if (known === undefined) return;
    if (values.sendOf(known) >= 0)
      throw new StartupError(`event ${invokedAt} sends "${value}" to ${topic.name} a second time`);
    values.rename(known, id);
    const events = [values.readBy(known), invokedAt];
    const message = `"${value}" was read from ${topic.name} before its send began`;
    findings.add('precommitted-read', message, { topic: topic.name, partition: -1, value, events });
  }

  #settle(sending: Sending, id: number, { type, index }: HistoryEvent, { placed }: Send): void {
    sending.fate = type;
    sending.settledAt = index;
    if (type === 'fail') this.#case.count('failed', sending.count);
    if (type !== 'ok') return;
    this.#case.count('acked', sending.count);
    if (placed === undefined) return;
    this.#checkAck(sending, placed, index);
    sending.placed = placed.map(({ partition: partitionId, offset, count }) => {
      const partition = this.#case.partition(sending.topic.name, partitionId);
      return { partition, log: partition.log, offset, count };
    });
    // What was not acknowledged by all may lie elsewhere in the end, or nowhere.
    if (sending.isDurable) for (const one of sending.placed) this.#claim(sending, id, one);
  }

  #checkAck(sending: Sending, placed: readonly Placement[], index: number): void {
    const { topic, partition, invokedAt, count } = sending;
    const report = (message: string, where: PartitionId): void =>
      this.#case.findings.add('wrong-ack', message, {
        topic: topic.name,
        partition: where,
        events: [invokedAt, index],
      });
    const told = placed.reduce((sum, one) => sum + one.count, 0);
    if (told !== count)
      report(`${told} of ${count} values sent to ${topic.name} are acknowledged`, partition);
    const elsewhere = placed.find((one) => partition >= 0 && one.partition !== partition);
    if (elsewhere === undefined) return;
    report(`sent to ${topic.name}-${partition}, acknowledged in ${elsewhere.partition}`, elsewhere.partition);
  }

  /** An acknowledgement tells what lies where. */
  #claim(sending: Sending, id: number, { partition, log, offset: base, count }: Placed): void {
    if (base < 0) return;
    const isExact = count === sending.count;
    const { settledAt: event } = sending;
    // Whatever an acknowledgement pretends, it is not for more than was sent.
    for (let i = 0; i < Math.min(count, sending.count); i++) {
      const offset = base + i;
      const there = log.at(offset);
      const told = isExact ? sending.first + i + 1 : -id - 1;
      if (there === 0) log.put(offset, told, event);
      else if (isExact ? this.#resolve(there) !== told : there < 0 || this.#sendAt(there) !== id)
        this.#contradict(partition, log, offset, sending);
    }
    if (log.isStrict) this.#advance(partition, log, base, base + count, sending);
    log.raiseEnd(base + count);
  }

  #resolve(there: number): number {
    return there > 0 ? this.#case.values.resolve(there - 1) + 1 : there;
  }

  #sendAt(there: number): number {
    return this.#case.values.sendOf(this.#case.values.resolve(there - 1));
  }

  #contradict(partition: PartitionCase, log: PartitionLog, offset: Offset, sending: Sending): void {
    if (!log.isStrict) return;
    const { topic, invokedAt, settledAt, first } = sending;
    const there = log.at(offset);
    const value = this.#case.values.nameOf(first);
    const other =
      there > 0 ? `"${this.#case.values.nameOf(there - 1)}"` : `something of the send at ${-there - 1}`;
    const message = `${partition.place(offset)}: the send of "${value}" is acknowledged there, and ${other} lies there`;
    const events = [invokedAt, settledAt, log.toldBy(offset)];
    this.#case.findings.add('inconsistent-offsets', message, {
      topic: topic.name,
      partition: partition.id,
      offset,
      value,
      events,
    });
  }

  /** What was sent after an acknowledgement lies behind what that one acknowledged. */
  #advance(partition: PartitionCase, log: PartitionLog, base: Offset, end: Offset, sending: Sending): void {
    const frontier = this.#frontiers.get(log) ?? { events: [], ends: [] };
    if (frontier.events.length === 0) this.#frontiers.set(log, frontier);
    const { events, ends } = frontier;
    const before = countBelow(events, sending.invokedAt) - 1;
    if (before >= 0 && base < (ends[before] ?? 0)) {
      const message = `${partition.place(base)} is acknowledged to a send that began after ${partition.place((ends[before] ?? 0) - 1)} had been acknowledged`;
      this.#case.findings.add('nonmonotonic-send', message, {
        topic: partition.topic.name,
        partition: partition.id,
        offset: base,
        value: this.#case.values.nameOf(sending.first),
        events: [events[before] ?? -1, sending.invokedAt, sending.settledAt],
      });
    }
    if (end <= (ends.at(-1) ?? 0)) return;
    events.push(sending.settledAt);
    ends.push(end);
  }

  #numberOf(producer: string): number {
    const known = this.#producers.get(producer) ?? this.#producers.size;
    this.#producers.set(producer, known);
    return known;
  }
}

/** How many of `ascending` are below `bound`. */
function countBelow(ascending: readonly number[], bound: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
