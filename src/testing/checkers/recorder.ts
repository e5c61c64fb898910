/** Writes a history as it happens. One recorder for all clients of a run, so that the order of events is the order of time. */
import { ApiError, StartupError } from '../../base/index.ts';
import type { HistoryEvent, Operation, OperationType } from './history.ts';
import { isCorrupted } from './payload.ts';

/** An operation under way. Exactly one of its methods is called, once; never calling one leaves it unknown. */
export interface Pending<F extends Operation['f']> {
  /** It happened; `result` are the fields that only the outcome has. */
  ok(result?: Partial<Omit<Extract<Operation, { readonly f: F }>, 'f'>>): HistoryEvent;
  /** It certainly did not happen. */
  fail(error?: unknown): HistoryEvent;
  /** Nobody knows. */
  info(error?: unknown): HistoryEvent;
  /**
   * It threw: `fail` when the error says for certain that nothing happened, else `info`. Of several values the error tells
   * the fate of the first that failed, so a send of more than one is `info`.
   */
  caught(error: unknown): HistoryEvent;
}

export class HistoryRecorder {
  readonly #now: () => number;
  readonly #sink: (event: HistoryEvent) => void;
  readonly #events: HistoryEvent[] = [];
  #count = 0;

  /**
   * `now` gives milliseconds that never fall. `sink` takes each event as it happens, for runs whose history is too long to be
   * kept: to a checker, to a file. Without it, `events` keeps them.
   */
  constructor(now: () => number, sink?: (event: HistoryEvent) => void) {
    this.#now = now;
    this.#sink = sink ?? ((event) => void this.#events.push(event));
  }

  /** All so far; empty when there is a sink. */
  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  /** Before the operation begins. */
  invoke<O extends Operation>(process: string, operation: O): Pending<O['f']> {
    if (operation.f === 'send') assertSendable(operation.values);
    const { index: invokedAt } = this.#add(process, 'invoke', operation);
    let isSettled = false;
    const settle = (type: OperationType, done: Operation, error?: unknown): HistoryEvent => {
      if (isSettled) throw new StartupError(`operation ${invokedAt} of ${process} is settled already`);
      isSettled = true;
      return this.#add(process, type, done, invokedAt, error);
    };
    const isCertain = (error: unknown): boolean =>
      error instanceof ApiError && error.definite && !(operation.f === 'send' && operation.values.length > 1);
    return {
      ok: (result) => settle('ok', tidy({ ...operation, ...result } as Operation)),
      fail: (error) => settle('fail', operation, error),
      info: (error) => settle('info', operation, error),
      caught: (error) => settle(isCertain(error) ? 'fail' : 'info', operation, error),
    };
  }

  /** Something that is over in no time: a crash, a fault, a mark, a count, a position. */
  note(process: string, operation: Operation): HistoryEvent {
    return this.#add(process, 'ok', operation);
  }

  /** One event a line. */
  toJsonLines(): string {
    return this.#events.map((event) => `${JSON.stringify(event)}\n`).join('');
  }

  /** The events of {@link toJsonLines}, or of a file of such lines. */
  static parse(lines: string | Iterable<string>): HistoryEvent[] {
    const events: HistoryEvent[] = [];
    for (const line of typeof lines === 'string' ? lines.split('\n') : lines)
      if (line !== '') events.push(JSON.parse(line) as HistoryEvent);
    return events;
  }

  #add(
    process: string,
    type: OperationType,
    operation: Operation,
    invokedAt?: number,
    error?: unknown,
  ): HistoryEvent {
    const event: HistoryEvent = {
      index: this.#count++,
      timeMs: this.#now(),
      process,
      type,
      operation,
      ...(invokedAt === undefined ? {} : { invokedAt }),
      ...(error === undefined ? {} : { error: textOf(error) }),
    };
    this.#sink(event);
    return event;
  }
}

function assertSendable(values: readonly string[]): void {
  const wrong = values.find((value) => value === '' || isCorrupted(value));
  if (wrong !== undefined) throw new StartupError(`"${wrong}" cannot be the name of a value`);
}

/** What the client calls an acknowledgement knows more than a placement. */
function tidy(operation: Operation): Operation {
  if (operation.f !== 'send' || operation.placed === undefined) return operation;
  return {
    ...operation,
    placed: operation.placed.map(({ partition, offset, count }) => ({ partition, offset, count })),
  };
}

function textOf(error: unknown): string {
  if (error instanceof ApiError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
