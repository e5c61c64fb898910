/**
 * Virtual time: one heap of events, one thread, nothing happens between two events.
 *
 * Order: by time; events of the same millisecond in an order drawn from the seed, so that no test leans on an order the
 * real world does not promise; without a `Random`, in the order they were set. An event never runs inside the call
 * that set it. Production code that awaits ports settles between two events: `run` lets every promise finish first.
 */
import type { MonotonicMs, Random } from '../../base/index.ts';
import { assert } from '../../base/index.ts';
import type { Timer } from '../../env/index.ts';

interface Event extends Timer {
  readonly atMs: number;
  readonly tie: number;
  readonly sequence: number;
  readonly owner: string | undefined;
  task: (() => void) | undefined;
}

/** Virtual time moves in binary fractions of a millisecond: sums of delays are exact. Delays are rounded up. */
export const TICKS_PER_MS = 1024;

/** Rejections that nobody heard, and signals, are told in turns of the event loop. */
const STEPS_BETWEEN_TURNS = 64;

/** Past it, something sets events without end: the run fails instead of eating the machine. */
const PENDING_MAX = 1_000_000;

export class Scheduler {
  readonly #heap: Event[] = [];
  readonly #random: Random | undefined;
  #nowMs = 0;
  #sequence = 0;
  #executed = 0;
  #owner: string | undefined;

  constructor(options: { readonly random?: Random } = {}) {
    this.#random = options.random;
  }

  /** Virtual milliseconds since the start; with fractions. */
  get nowMs(): MonotonicMs {
    return this.#nowMs;
  }

  /** Events that have run. */
  get executed(): number {
    return this.#executed;
  }

  /** Events that wait, cancelled ones included until their time. */
  get pending(): number {
    return this.#heap.length;
  }

  /** Whose the event is that runs or ran last; undefined: nobody's, or anybody's. */
  get owner(): string | undefined {
    return this.#owner;
  }

  after(delayMs: number, task: () => void, owner?: string): Timer {
    assert(delayMs >= 0 && Number.isFinite(delayMs), 'a delay is finite and not negative', { delayMs });
    assert(this.#heap.length < PENDING_MAX, 'too many events wait', { pending: this.#heap.length });
    const event: Event = {
      atMs: this.#nowMs + Math.ceil(delayMs * TICKS_PER_MS) / TICKS_PER_MS,
      tie: this.#random?.integer(0, 2 ** 30) ?? 0,
      sequence: this.#sequence++,
      owner,
      task,
      cancel() {
        event.task = undefined;
      },
    };
    push(this.#heap, event);
    return event;
  }

  /** Runs the next event, moving time to it. False when none is left. */
  step(): boolean {
    for (;;) {
      const event = pop(this.#heap);
      if (event === undefined) return false;
      if (event.task === undefined) continue;
      this.#nowMs = event.atMs;
      this.#executed++;
      this.#owner = event.owner;
      event.task();
      return true;
    }
  }

  /**
   * Runs events, settling promises after each, until `until` holds (true), none is left, or `limitMs` of virtual time
   * have passed (both false). Time then stands at the limit.
   */
  async runUntil(until: () => boolean, limitMs = 3_600_000): Promise<boolean> {
    const endMs = this.#nowMs + limitMs;
    await settle();
    // Callbacks, not promises: this turns once for each event of a simulation.
    return new Promise((resolve, reject) => {
      let steps = 0;
      const turn = (): void => {
        try {
          if (until()) {
            resolve(true);
            return;
          }
          const next = this.#next();
          if (next === undefined || next.atMs > endMs) {
            this.#nowMs = endMs;
            resolve(false);
            return;
          }
          this.step();
        } catch (error) {
          reject(error);
          return;
        }
        if (++steps % STEPS_BETWEEN_TURNS === 0) setImmediate(turn);
        else SETTLED.then(turnSoon);
      };
      const turnSoon = (): void => process.nextTick(turn);
      turn();
    });
  }

  /** Lets `durationMs` of virtual time pass. */
  async run(durationMs: number): Promise<void> {
    await this.runUntil(() => false, durationMs);
  }

  /** Runs until `promise` settles and gives what it gave; fails when it has not within `limitMs` of virtual time. */
  async finish<T>(promise: Promise<T>, limitMs = 3_600_000): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    const done = await this.runUntil(() => settled, limitMs);
    assert(done, 'the promise did not settle in virtual time', { limitMs, nowMs: this.#nowMs });
    return promise;
  }

  #next(): Event | undefined {
    for (;;) {
      const event = this.#heap[0];
      if (event === undefined || event.task !== undefined) return event;
      pop(this.#heap);
    }
  }
}

/**
 * A tick that is asked for in a promise's turn comes when every promise that can go on has done so, without a turn of the
 * event loop; one that is asked for in a tick comes before all of them.
 */
const SETTLED = Promise.resolve();

/** Resolves when every promise that can go on without an event has done so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function before(a: Event, b: Event): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  return a.tie !== b.tie ? a.tie < b.tie : a.sequence < b.sequence;
}

function push(heap: Event[], event: Event): void {
  let index = heap.length;
  heap.push(event);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent] as Event;
    if (!before(event, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = event;
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || first === last) return first;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++;
    const smallest = heap[child] as Event;
    if (!before(smallest, last)) break;
    heap[index] = smallest;
    index = child;
  }
  heap[index] = last;
  return first;
}
