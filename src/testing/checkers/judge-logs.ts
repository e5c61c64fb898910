/** What the logs show when all observations are in: values at two places, out of order, in a wrong partition; holes. */
import type { Offset } from '../../base/index.ts';
import type { Case, PartitionCase } from './case.ts';
import type { Jump, PartitionLog, TailStart } from './partition-log.ts';
import type { Sending } from './sends.ts';
import type { AnomalyKind } from './verdict.ts';

/** A value at a place in a log. */
interface Entry {
  readonly partition: PartitionCase;
  readonly log: PartitionLog;
  readonly offset: Offset;
  readonly id: number;
  readonly sending: Sending;
  readonly event: number;
}

export class LogJudge {
  readonly #case: Case;
  readonly #sends: readonly Sending[];
  /** First place of each value: the number of its log plus one, and the offset. */
  readonly #placeLogs: Int32Array;
  readonly #placeOffsets: Float64Array;
  readonly #logs: { readonly partition: PartitionCase; readonly log: PartitionLog }[] = [];

  /** When all is seen. */
  constructor(judged: Case, sends: readonly Sending[]) {
    this.#case = judged;
    this.#sends = sends;
    this.#placeLogs = new Int32Array(judged.values.count);
    this.#placeOffsets = new Float64Array(judged.values.count);
  }

  judge(partition: PartitionCase): void {
    for (const log of partition.logs) {
      this.#logs.push({ partition, log });
      this.#judgeEntries(partition, log);
      if (partition.topic.demands.compacted === true) continue;
      for (const jump of log.jumps) this.#judgeJump(partition, log, jump);
      if (log.isStrict && log.tailStarts.length > 0) this.#judgeTails(partition, log);
    }
  }

  #judgeEntries(partition: PartitionCase, log: PartitionLog): void {
    /** By producer: its value that is farthest in its order. */
    const latest = new Map<number, Entry>();
    const { values } = this.#case;
    log.forEach((offset, what, event) => {
      const id = what > 0 ? values.resolve(what - 1) : -1;
      const sending = id < 0 ? undefined : this.#sends[values.sendOf(id)];
      if (sending === undefined) return;
      const entry = { partition, log, offset, id, sending, event };
      if (sending.partition >= 0 && sending.partition !== partition.id) {
        this.#report('phantom', entry, `was sent to partition ${sending.partition}`, [sending.invokedAt]);
        return;
      }
      if (!log.isStrict || this.#isDuplicate(entry)) return;
      this.#judgeOrder(entry, latest);
      this.#judgePresence(entry);
    });
  }

  #isDuplicate(entry: Entry): boolean {
    const before = this.#logs[(this.#placeLogs[entry.id] ?? 0) - 1];
    const offset = this.#placeOffsets[entry.id] ?? 0;
    if (before === undefined) {
      this.#placeLogs[entry.id] = this.#logs.length;
      this.#placeOffsets[entry.id] = entry.offset;
      return false;
    }
    // What a partition had forgotten may have been written to it again.
    if (before.partition === entry.partition && before.log !== entry.log) return false;
    if (entry.sending.producer < 0) this.#case.count('tolerated-duplicates');
    else {
      const { partition, log } = before;
      this.#report('duplicate', entry, `is at ${partition.place(offset)}, too`, [log.toldBy(offset)]);
    }
    return true;
  }

  /** An idempotent producer's values lie in the order of its sends. Source: KIP-98. */
  #judgeOrder(entry: Entry, latest: Map<number, Entry>): void {
    const { id, sending } = entry;
    if (sending.producer < 0) return;
    const before = latest.get(sending.producer);
    if (before === undefined || before.id < id) {
      latest.set(sending.producer, entry);
      return;
    }
    if (this.#mayChangePlaces(entry, before)) {
      this.#case.count('tolerated-reorderings');
      return;
    }
    const kind = before.sending === sending ? 'int-nonmonotonic-send' : 'nonmonotonic-send';
    const { invokedAt } = before.sending;
    const message = `was sent before "${this.#case.values.nameOf(before.id)}", which is at ${before.offset}`;
    this.#report(kind, entry, message, [sending.invokedAt, invokedAt, before.event]);
  }

  /**
   * A producer that is forgotten with a loss has no order among what it had in flight then: both sends were open when something was
   * lost or later, and together.
   */
  #mayChangePlaces({ partition, sending }: Entry, before: Entry): boolean {
    const settledAt = sending.settledAt < 0 ? Infinity : sending.settledAt;
    const { doubtedAt } = partition;
    return (
      settledAt > doubtedAt &&
      settledAt > before.sending.invokedAt &&
      before.sending.invokedAt < this.#case.finalAt
    );
  }

  /** Once read, a value is there for ever, whoever knows of its send. Acknowledged ones are judged by their fate. */
  #judgePresence(entry: Entry): void {
    const { partition, log, offset, id, sending } = entry;
    const { values, finalAt } = this.#case;
    if (finalAt === Infinity || log !== partition.log || partition.topic.demands.compacted === true) return;
    if (values.isReadFinally(id)) return;
    if (offset < partition.goneBelow || sending.fate === 'fail') return;
    if (sending.fate === 'ok' && sending.isDurable) return;
    const isPassed = log.coveredFinally.covers(offset, offset + 1);
    const kind = isPassed ? 'lost-write' : 'unseen';
    this.#report(kind, entry, 'was read before, and is not among what was read finally', [finalAt]);
  }

  /** No reader passes over records, and there are no holes to pass over. */
  #judgeJump(partition: PartitionCase, log: PartitionLog, jump: Jump): void {
    const from = Math.max(jump.from, partition.goneBelow);
    if (from >= jump.to) return;
    const known = log.findBetween(from, jump.to);
    const { process, events, isInner } = jump;
    const { name } = partition.topic;
    const kind = known === undefined ? 'offset-gap' : isInner ? 'int-poll-skip' : 'poll-skip';
    const missing =
      known === undefined
        ? 'nobody knows of a record between'
        : `there is a record at ${known}, as event ${log.toldBy(known)} tells`;
    const message = `${process} expected ${partition.place(from)} and got ${jump.to}; ${missing}`;
    const evidence = [...events, known === undefined ? -1 : log.toldBy(known)];
    this.#case.findings.add(kind, message, {
      topic: name,
      partition: partition.id,
      offset: from,
      events: evidence,
    });
  }

  /** Who was assigned to the end gets everything that is sent from then on. */
  #judgeTails(partition: PartitionCase, log: PartitionLog): void {
    const { values } = this.#case;
    const entries: { readonly sentAt: number; readonly offset: Offset }[] = [];
    log.forEach((offset, what) => {
      const sending = what > 0 ? this.#sends[values.sendOf(values.resolve(what - 1))] : undefined;
      if (sending !== undefined) entries.push({ sentAt: sending.invokedAt, offset });
    });
    entries.sort((a, b) => b.sentAt - a.sentAt);
    let next = 0;
    let lowest = Infinity;
    for (const tail of [...log.tailStarts].sort((a, b) => b.assignedAt - a.assignedAt)) {
      for (; (entries[next]?.sentAt ?? -1) > tail.assignedAt; next++)
        lowest = Math.min(lowest, entries[next]?.offset ?? Infinity);
      if (lowest < tail.offset && lowest >= partition.goneBelow)
        this.#reportTail(partition, log, tail, lowest);
    }
  }

  #reportTail(partition: PartitionCase, log: PartitionLog, tail: TailStart, missed: Offset): void {
    const { process, offset, assignedAt, event } = tail;
    const message = `${process}, assigned to the end, began at ${partition.place(offset)}; what is at ${missed} was sent after it was assigned`;
    this.#case.findings.add('poll-skip', message, {
      topic: partition.topic.name,
      partition: partition.id,
      offset: missed,
      events: [assignedAt, event, log.toldBy(missed)],
    });
  }

  #report(kind: AnomalyKind, entry: Entry, what: string, events: readonly number[]): void {
    const { partition, offset, id, event } = entry;
    const value = this.#case.values.nameOf(id);
    this.#case.findings.add(kind, `${partition.place(offset)}: "${value}" ${what}`, {
      topic: partition.topic.name,
      partition: partition.id,
      offset,
      value,
      events: [...events, event],
    });
  }
}
