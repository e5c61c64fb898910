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
  const judged = new Case(options);
  const sends = new Sends(judged);
  const readers = new Readers(judged);
  const budget = new LossBudget(judged);
  let lastIndex = -1;
  for (const event of events) {
    if (!(event.index > lastIndex))
      throw new StartupError(`event ${event.index} comes after event ${lastIndex}`);
    lastIndex = event.index;
    judged.count('events');
    handle(event, judged, sends, readers, budget);
  }
  readers.finish();
  const logs = new LogJudge(judged, sends.all);
  for (const partition of judged.partitions()) logs.judge(partition);
  const fates = new FateJudge(judged);
  for (const sending of sends.all) fates.judge(sending);
  for (const [id, read] of readers.early) fates.judgeEarly(id, read);
  return conclude(judged);
}

function handle(event: HistoryEvent, judged: Case, sends: Sends, readers: Readers, budget: LossBudget): void {
  const { operation, type, index, process } = event;
  switch (operation.f) {
    case 'send':
      sends.handle(event, operation);
      break;
    case 'poll':
      readers.handlePoll(event, operation.polled ?? []);
      break;
    case 'assign':
      readers.handleAssign(event, operation);
      break;
    case 'ends':
      readers.handleEnds(event, operation);
      break;
    case 'crash':
      if (type === 'ok') readers.handleCrash(process);
      break;
    case 'delete-records': {
      // Asked for is enough: nobody can tell when it takes effect.
      const partition = judged.partition(operation.topic, operation.partition);
      partition.goneBelow = Math.max(partition.goneBelow, operation.before);
      break;
    }
    case 'fault':
      if (isBeginning(event)) budget.handleFault(operation);
      break;
    case 'mark':
      if (type !== 'ok') break;
      if (operation.mark === 'final') readers.handleFinal();
      budget.handleMark(operation, index);
      break;
    case 'count':
      if (type === 'ok') judged.count(operation.name, operation.count);
      break;
    default:
      throw new StartupError(`event ${index} (${type}) is of no known kind: ${JSON.stringify(operation)}`);
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
