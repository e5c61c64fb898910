/**
 * The judge of a history: goes through it once, then through what is known at the end. Time is linear in the history, and so
 * is memory: some 300 bytes for an operation (bench/checker.ts).
 *
 * Law: a history that a correct cluster can bring about is valid. Where it leaves something open (an operation without an
 * end, a reader whose place nobody knows, a partition that lost more than it must bear), what is open is not judged.
 *
 * Source: jepsen.tests.kafka (kinds and rules), Kingsbury and Alvaro, "Elle" (VLDB 2020).
 */
import { StartupError } from '../../base/index.ts';
import { Case } from './case.ts';
import type { HistoryEvent } from './history.ts';
import { FateJudge } from './judge-fates.ts';
import { LogJudge } from './judge-logs.ts';
import { LossBudget } from './loss-budget.ts';
import { Readers } from './readers.ts';
import { Sends } from './sends.ts';
import type { CheckOptions, CounterName, Verdict } from './verdict.ts';

const REQUIRED: readonly CounterName[] = ['acked', 'polled'];

/** Judges `events`, which come in the order of their indexes. Throws StartupError for what is no history. */
export function checkHistory(events: Iterable<HistoryEvent>, options: CheckOptions = {}): Verdict {
  const checker = new HistoryChecker(options);
  for (const event of events) checker.add(event);
  return checker.conclude();
}

/** {@link checkHistory} for events that come one by one, and are not kept. */
export class HistoryChecker {
  readonly #case: Case;
  readonly #sends: Sends;
  readonly #readers: Readers;
  readonly #budget: LossBudget;
  #lastIndex = -1;

  constructor(options: CheckOptions = {}) {
    this.#case = new Case(options);
    this.#sends = new Sends(this.#case);
    this.#readers = new Readers(this.#case);
    this.#budget = new LossBudget(this.#case);
  }

  /** The next event. Throws StartupError for what cannot be one. */
  add(event: HistoryEvent): void {
    if (!(event.index > this.#lastIndex))
      throw new StartupError(`event ${event.index} comes after event ${this.#lastIndex}`);
    this.#lastIndex = event.index;
    this.#case.count('events');
    this.#handle(event);
  }

  /** No event comes any more. Called once. */
  conclude(): Verdict {
    const judged = this.#case;
    this.#readers.finish();
    const logs = new LogJudge(judged, this.#sends.all);
    for (const partition of judged.partitions()) logs.judge(partition);
    const fates = new FateJudge(judged);
    for (const sending of this.#sends.all) fates.judge(sending);
    for (const [id, read] of this.#readers.early) fates.judgeEarly(id, read);
    return conclude(judged);
  }

  #handle(event: HistoryEvent): void {
    const { operation, type, index, process } = event;
    switch (operation.f) {
      case 'send':
        this.#sends.handle(event, operation);
        break;
      case 'poll':
        this.#readers.handlePoll(event, operation.polled ?? []);
        break;
      case 'assign':
        this.#readers.handleAssign(event, operation);
        break;
      case 'ends':
        this.#readers.handleEnds(event, operation);
        break;
      case 'crash':
        if (type === 'ok') this.#readers.handleCrash(process);
        break;
      case 'delete-records': {
        // Asked for is enough: nobody can tell when it takes effect.
        const partition = this.#case.partition(operation.topic, operation.partition);
        partition.goneBelow = Math.max(partition.goneBelow, operation.before);
        break;
      }
      case 'fault':
        if (isBeginning(event)) this.#budget.handleFault(operation, index);
        break;
      case 'mark':
        if (type !== 'ok') break;
        if (operation.mark === 'final') this.#readers.handleFinal();
        this.#budget.handleMark(operation, index);
        break;
      case 'count':
        if (type === 'ok') this.#case.count(operation.name, operation.count);
        break;
      default:
        throw new StartupError(`event ${index} (${type}) is of no known kind: ${JSON.stringify(operation)}`);
    }
  }
}

/** A fault counts when it begins. */
function isBeginning({ type, invokedAt }: HistoryEvent): boolean {
  return type === 'invoke' || invokedAt === undefined;
}

function conclude({ findings, counters, options }: Case): Verdict {
  const { allowed = [], required = REQUIRED } = options;
  const missing = required.filter((name) => (counters.get(name) ?? 0) === 0);
  const kept = findings.keptBut(allowed);
  return {
    valid: kept.length === 0 && missing.length === 0,
    findings: kept,
    anomalies: Object.fromEntries(findings.counts),
    counters: Object.fromEntries(counters),
    missing,
  };
}
