/**
 * Decide, append, commit, reply: the runtime of a replicated state machine, without I/O.
 *
 * The leader decides on the speculative image = committed image + its own appended records. An event's records are
 * replayed into it when they are appended, its reply is parked until everything the decision could have seen is
 * committed: also a refusal, and also a reply without records, since "exists already" may be about a topic that is never
 * committed. Replies leave in the order of decisions. Whoever does not lead replays what is committed, nothing else.
 *
 * Losing leadership drops the speculative image. Parked replies fail with an unknown outcome: the next leader may hold and
 * commit their records. Events still queued certainly had no effect.
 *
 * Limits: `queueMax` events wait, more are refused with RESOURCE_EXHAUSTED; `parkedMax` replies are parked, then events
 * wait; `recordsMax` records form one entry of the log, more are split when they may be, else refused.
 */
import { ApiError, assert, type MonotonicMs, type Offset, type QuorumEpoch } from '../base/index.ts';
import type { Decision } from './decision.ts';

/** The replicated log as its leader sees it. Synchronous: appended means in line, not durable. */
export interface MachineLog {
  /** Offset the next append gets. */
  nextOffset(): Offset;
  append(epoch: QuorumEpoch, payload: Uint8Array): MachineAppend;
}

export type MachineAppend =
  | { readonly kind: 'appended'; readonly offset: Offset }
  | { readonly kind: 'not-leader' | 'too-large' | 'back-pressure' };

/** One committed entry; only `data` entries hold records. */
export interface CommittedEntry {
  readonly offset: Offset;
  readonly epoch: QuorumEpoch;
  readonly kind: 'control' | 'data';
  readonly payload: Uint8Array;
}

export interface MachineOptions<Image, Entry> {
  readonly empty: Image;
  /** The only mutator: a new image, or a throw when the record cannot follow. */
  readonly replay: (image: Image, record: Entry) => Image;
  /** Notes in the image that the entry at `offset` is applied to it. */
  readonly advance: (image: Image, offset: Offset, epoch: QuorumEpoch) => Image;
  readonly encode: (records: readonly Entry[]) => Uint8Array;
  readonly decode: (payload: Uint8Array) => readonly Entry[];
  readonly log: MachineLog;
  readonly queueMax: number;
  readonly parkedMax: number;
  readonly recordsMax: number;
}

export interface MachineEvent<Image, Entry, Reply> {
  /** After this the event fails without having been decided. */
  readonly expiresAtMs: MonotonicMs;
  /** Pure. `nextOffset`: where the first record of the decision would be written. */
  decide(image: Image, nextOffset: Offset): Decision<Entry, Reply>;
  /** Called exactly once. */
  complete(outcome: EventOutcome<Reply>): void;
}

export type EventOutcome<Reply> =
  /** `offset`: the decision's effects, and all it has seen, are below it and committed. */
  | { readonly kind: 'done'; readonly reply: Reply; readonly offset: Offset }
  | { readonly kind: 'failed'; readonly error: ApiError };

/** A committed or decided record could not be replayed: this node's state can no longer be trusted. */
export class ReplayFailure extends Error {
  override readonly name = 'ReplayFailure';
  readonly offset: Offset;

  constructor(offset: Offset, cause: unknown) {
    super(`the record at offset ${offset} cannot be replayed: ${String(cause)}`, { cause });
    this.offset = offset;
  }
}

interface Leading<Image> {
  readonly epoch: QuorumEpoch;
  speculative: Image;
  /** Own entries that are not committed, each with the image after it. */
  readonly pending: { readonly offset: Offset; readonly image: Image }[];
  /** By offset, ascending. */
  readonly parked: { readonly offset: Offset; complete(): void; fail(error: ApiError): void }[];
}

/** The type of an event is forgotten in the queue: a closure that decides and knows how to complete. */
interface Queued<Image, Entry> {
  readonly expiresAtMs: MonotonicMs;
  /** It is decided, and some of its records are appended. */
  readonly isPartlyDone: boolean;
  decide(image: Image, nextOffset: Offset): Decided<Entry>;
  fail(error: ApiError): void;
}

interface Decided<Entry> {
  readonly records: readonly Entry[];
  readonly atomic: boolean;
  complete(offset: Offset): void;
}

export class Machine<Image, Entry> {
  readonly #options: MachineOptions<Image, Entry>;
  readonly #queue: Queued<Image, Entry>[] = [];
  #committed: Image;
  #nextCommitted: Offset = 0;
  #leading: Leading<Image> | undefined;
  #isRunning = false;

  constructor(options: MachineOptions<Image, Entry>) {
    this.#options = options;
    this.#committed = options.empty;
  }

  get committed(): Image {
    return this.#committed;
  }

  /** The committed image where nothing else is known. */
  get speculative(): Image {
    return this.#leading?.speculative ?? this.#committed;
  }

  get isLeading(): boolean {
    return this.#leading !== undefined;
  }

  /** This node leads `epoch` and was given all committed entries of earlier epochs. `first` is decided before all. */
  lead<Reply>(epoch: QuorumEpoch, first: MachineEvent<Image, Entry, Reply>, nowMs: MonotonicMs): void {
    assert(this.#leading === undefined, 'leads already', { epoch, leading: this.#leading?.epoch });
    const nextOffset = this.#options.log.nextOffset();
    assert(nextOffset >= this.#nextCommitted, 'the log ends behind what is committed', { nextOffset });
    const speculative =
      nextOffset === 0 ? this.#committed : this.#options.advance(this.#committed, nextOffset - 1, epoch);
    this.#leading = { epoch, speculative, pending: [], parked: [] };
    assert(this.#queue.length === 0, 'events waited for a leadership', { waiting: this.#queue.length });
    this.#queue.push(queued(first));
    this.#run(nowMs);
  }

  /** Leadership is lost, or given up. Fails all that waits; does nothing when not leading. */
  renounce(error: ApiError): void {
    const leading = this.#leading;
    this.#leading = undefined;
    for (const { fail } of leading?.parked ?? []) fail(unknownOutcome(error));
    for (const { fail, isPartlyDone } of this.#queue.splice(0))
      fail(
        isPartlyDone ? unknownOutcome(error) : new ApiError(error.code, `${error.message}; nothing was done`),
      );
  }

  /** Leader only. Decides the event, now or when there is room. */
  submit<Reply>(event: MachineEvent<Image, Entry, Reply>, nowMs: MonotonicMs): void {
    assert(this.#leading !== undefined, 'only a leader takes events');
    if (this.#queue.length >= this.#options.queueMax) {
      const message = `${this.#queue.length} requests are waiting already; try again later`;
      event.complete({ kind: 'failed', error: new ApiError('RESOURCE_EXHAUSTED', message) });
      return;
    }
    this.#queue.push(queued(event));
    this.#run(nowMs);
  }

  /** Entries that are now committed, in order, each exactly once. Throws ReplayFailure. */
  commit(entries: readonly CommittedEntry[], nowMs: MonotonicMs): void {
    for (const entry of entries) {
      assert(entry.offset === this.#nextCommitted, 'committed entries come in order, each once', {
        offset: entry.offset,
        expected: this.#nextCommitted,
      });
      this.#committed = this.#apply(entry);
      this.#nextCommitted = entry.offset + 1;
    }
    this.#completeParked();
    this.#run(nowMs);
  }

  #apply(entry: CommittedEntry): Image {
    const leading = this.#leading;
    const own = leading?.pending[0];
    if (own?.offset === entry.offset && leading?.epoch === entry.epoch) {
      leading.pending.shift();
      return own.image;
    }
    assert(leading === undefined || entry.kind === 'control', 'a leader commits its own entries', {
      offset: entry.offset,
      epoch: entry.epoch,
    });
    let image = this.#committed;
    try {
      if (entry.kind === 'data')
        for (const record of this.#options.decode(entry.payload)) image = this.#options.replay(image, record);
    } catch (error) {
      throw new ReplayFailure(entry.offset, error);
    }
    return this.#options.advance(image, entry.offset, entry.epoch);
  }

  #completeParked(): void {
    for (;;) {
      const first = this.#leading?.parked[0];
      if (first === undefined || first.offset > this.#nextCommitted) return;
      this.#leading?.parked.shift();
      first.complete();
    }
  }

  /** Decides queued events until none is left, leadership is gone, or the log or the parking has no room. */
  #run(nowMs: MonotonicMs): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (;;) {
        this.#completeParked();
        const leading = this.#leading;
        const event = this.#queue[0];
        if (leading === undefined || event === undefined) return;
        if (leading.parked.length >= this.#options.parkedMax) return;
        if (nowMs >= event.expiresAtMs) {
          this.#queue.shift();
          event.fail(new ApiError('REQUEST_TIMED_OUT', 'the request waited too long; nothing was done'));
        } else if (!this.#decide(leading, event)) {
          return;
        }
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** The event is first in the queue and stays there while it is not finished. False: the log had no room. */
  #decide(leading: Leading<Image>, event: Queued<Image, Entry>): boolean {
    const { log, recordsMax } = this.#options;
    const decided = event.decide(leading.speculative, log.nextOffset());
    const { length } = decided.records;
    if (decided.atomic && length > recordsMax) {
      this.#queue.shift();
      event.fail(
        new ApiError('POLICY_VIOLATION', `${length} records at once; at most ${recordsMax} are allowed`),
      );
      return true;
    }
    for (let at = 0; at < length; at += recordsMax) {
      const outcome = this.#append(leading, decided.records.slice(at, at + recordsMax));
      if (outcome === 'appended') continue;
      if (this.#leading !== leading) return false;
      this.#queue.shift();
      if (outcome === 'too-large') {
        event.fail(
          new ApiError('POLICY_VIOLATION', 'the request makes more metadata than one entry may hold'),
        );
        return true;
      }
      this.#queue.unshift(
        at === 0 ? event : restOf(event, { ...decided, records: decided.records.slice(at) }),
      );
      return false;
    }
    this.#queue.shift();
    const offset = log.nextOffset();
    leading.parked.push({ offset, complete: () => decided.complete(offset), fail: event.fail });
    return true;
  }

  /** Replays first, so that what cannot be replayed is never written. */
  #append(leading: Leading<Image>, records: readonly Entry[]): MachineAppend['kind'] {
    const { log, encode, replay, advance } = this.#options;
    const offset = log.nextOffset();
    let image = leading.speculative;
    try {
      for (const record of records) image = replay(image, record);
    } catch (error) {
      throw new ReplayFailure(offset, error);
    }
    const outcome = log.append(leading.epoch, encode(records));
    if (outcome.kind !== 'appended') return outcome.kind;
    assert(outcome.offset === offset, 'the log gave another offset than it announced', {
      offset,
      given: outcome.offset,
    });
    leading.speculative = advance(image, offset, leading.epoch);
    leading.pending.push({ offset, image: leading.speculative });
    return 'appended';
  }
}

function unknownOutcome({ code, message }: ApiError): ApiError {
  return new ApiError(code, `${message}; the outcome is unknown, it may still take effect`);
}

/** What is left of an event that the log had no room for in the middle: decided already, and not to expire any more. */
function restOf<Image, Entry>({ fail }: Queued<Image, Entry>, rest: Decided<Entry>): Queued<Image, Entry> {
  return { expiresAtMs: Infinity, isPartlyDone: true, decide: () => rest, fail };
}

function queued<Image, Entry, Reply>(event: MachineEvent<Image, Entry, Reply>): Queued<Image, Entry> {
  return {
    expiresAtMs: event.expiresAtMs,
    isPartlyDone: false,
    decide: (image, nextOffset) => {
      const decision = event.decide(image, nextOffset);
      if (decision.kind === 'accepted') {
        const { records, atomic, reply } = decision;
        return { records, atomic, complete: (offset) => event.complete({ kind: 'done', reply, offset }) };
      }
      const { error } = decision;
      return { records: [], atomic: true, complete: () => event.complete({ kind: 'failed', error }) };
    },
    fail: (error) => event.complete({ kind: 'failed', error }),
  };
}
