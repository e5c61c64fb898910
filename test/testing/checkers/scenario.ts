/** Histories written by hand: one topic, verbs for what happens. Partition 0 unless said otherwise. */
import {
  type AnomalyKind,
  type CheckOptions,
  checkHistory,
  HistoryRecorder,
  type Pending,
  type PolledPartition,
  type PolledRecord,
  type Send,
  type Verdict,
} from '../../../src/testing/checkers/index.ts';

export const TOPIC = 't';

export class Scenario {
  readonly #recorder: HistoryRecorder;

  constructor() {
    let timeMs = 0;
    this.#recorder = new HistoryRecorder(() => timeMs++);
  }

  sending(values: string, more: Partial<Send> = {}, process = 'p'): Pending<'send'> {
    return this.#recorder.invoke(process, { f: 'send', topic: TOPIC, values: values.split(' '), ...more });
  }

  /** `values` are acknowledged at `offset`, as a whole. */
  sent(values: string, offset: number, more: Partial<Send> = {}, process = 'p'): this {
    const count = values.split(' ').length;
    this.sending(values, more, process).ok({ placed: [{ partition: more.partition ?? 0, offset, count }] });
    return this;
  }

  /** `values` are acknowledged, without saying where. */
  sentSomewhere(values: string, more: Partial<Send> = {}, process = 'p'): this {
    this.sending(values, more, process).ok();
    return this;
  }

  failed(values: string, more: Partial<Send> = {}): this {
    this.sending(values, more).fail(new Error('refused'));
    return this;
  }

  unknown(values: string, more: Partial<Send> = {}): this {
    this.sending(values, more).info(new Error('timed out'));
    return this;
  }

  /** `records` as '0=a 1=b'. */
  polled(process: string, records: string, more: Partial<PolledPartition> = {}): this {
    const one = { topic: TOPIC, partition: 0, records: parse(records), ...more };
    this.#recorder.invoke(process, { f: 'poll' }).ok({ polled: [one] });
    return this;
  }

  pollLost(process: string): this {
    this.#recorder.invoke(process, { f: 'poll' }).info(new Error('killed'));
    return this;
  }

  assigned(process: string, from?: 'beginning' | 'end' | number, partition = 0): this {
    const position = { topic: TOPIC, partition, ...(from === undefined ? {} : { from }) };
    this.#recorder.invoke(process, { f: 'assign', positions: [position] }).ok();
    return this;
  }

  askingEnd(process: string, partition = 0): (end: number, logStartOffset?: number) => void {
    const pending = this.#recorder.invoke(process, { f: 'ends', partitions: [{ topic: TOPIC, partition }] });
    return (end, logStartOffset = 0) =>
      void pending.ok({ partitions: [{ topic: TOPIC, partition, end, logStartOffset }] });
  }

  toldEnd(process: string, end: number, logStartOffset = 0): this {
    this.askingEnd(process)(end, logStartOffset);
    return this;
  }

  crashed(process: string): this {
    this.#recorder.note(process, { f: 'crash' });
    return this;
  }

  deleted(before: number): this {
    this.#recorder
      .invoke('admin', { f: 'delete-records', topic: TOPIC, partition: 0, before })
      .info(new Error('timed out'));
    return this;
  }

  lossyFault(...nodes: number[]): this {
    this.#recorder.note('nemesis', { f: 'fault', fault: 'power-loss', nodes, lossy: true });
    return this;
  }

  /** Loses what was on no disk. */
  powerLoss(...nodes: number[]): this {
    this.#recorder.note('nemesis', { f: 'fault', fault: 'power loss', nodes, lossy: 'unsynced' });
    return this;
  }

  marked(mark: 'whole' | 'final'): this {
    this.#recorder.note('nemesis', { f: 'mark', mark });
    return this;
  }

  check(options: CheckOptions = {}): Verdict {
    return checkHistory(this.#recorder.events, { required: [], ...options });
  }

  /** The kinds that are found, each once, sorted. */
  kinds(options: CheckOptions = {}): AnomalyKind[] {
    return [...new Set(this.check(options).findings.map(({ kind }) => kind))].sort();
  }
}

function parse(records: string): PolledRecord[] {
  return records === ''
    ? []
    : records.split(' ').map((record) => {
        const [offset, value = ''] = record.split('=');
        return [Number(offset), value];
      });
}
