/**
 * What the clients of a run saw: who sent what, what became of it, and what lay where. What can be judged at once is judged
 * at once; the rest by `judge` when all is over.
 *
 * A value is `<producer>.<number>.<filler>`, numbered per producer in the order of its sends, so it tells what it is.
 */
import type { Acknowledgement, ConsumedBatch } from '../../src/client/index.ts';

export type Fate = 'open' | 'ok' | 'failed' | 'unknown';

/** Records of one call of `send`. */
export interface Sending {
  readonly producer: string;
  readonly topic: string;
  readonly first: number;
  readonly count: number;
  fate: Fate;
  problem?: string;
}

/** Of one topic and partition: what lies at each offset, as far as anybody read it. */
class PartitionHistory {
  readonly values: (string | undefined)[] = [];
}

const FINDINGS_MAX = 40;

export class History {
  readonly findings: string[] = [];
  readonly sendings: Sending[] = [];
  readonly #partitions = new Map<string, PartitionHistory>();
  /** Where acknowledgements say that records are. */
  readonly #claims: { readonly sending: Sending; readonly ack: Acknowledgement }[] = [];
  readonly #next = new Map<string, number>();

  find(problem: string): void {
    if (this.findings.length < FINDINGS_MAX) this.findings.push(problem);
  }

  begin(producer: string, topic: string, count: number): Sending {
    const first = this.#next.get(producer) ?? 0;
    this.#next.set(producer, first + count);
    const sending: Sending = { producer, topic, first, count, fate: 'open' };
    this.sendings.push(sending);
    return sending;
  }

  acknowledged(sending: Sending, acks: readonly Acknowledgement[]): void {
    sending.fate = 'ok';
    let count = 0;
    for (const ack of acks) {
      count += ack.count;
      if (ack.offset >= 0) this.#claims.push({ sending, ack });
    }
    if (count !== sending.count) this.find(`${nameOf(sending)}: ${count} of ${sending.count} acknowledged`);
  }

  /** A reader of name `who` got `batch`, having expected `position`; gives the position after it. */
  read(who: string, batch: ConsumedBatch, position: number): number {
    const partition = this.#partition(batch.topic, batch.partition);
    let expected = position;
    for (const { offset, value, topic } of batch.records) {
      const where = `${topic}-${batch.partition} at ${offset}`;
      if (offset !== expected) this.find(`${who} expected offset ${expected} and got ${where}`);
      expected = offset + 1;
      const text = value?.toString('latin1') ?? '';
      const before = partition.values[offset];
      if (before === undefined) partition.values[offset] = text;
      else if (before !== text)
        this.find(`${who} read ${headOf(text)} in ${where}, where ${headOf(before)} was read before`);
    }
    return expected;
  }

  /** Everything that only the whole history shows. */
  judge(topics: readonly string[]): void {
    for (const topic of topics) this.#judgeTopic(topic);
    for (const { sending, ack } of this.#claims) this.#judgeClaim(sending, ack);
  }

  count(fate: Fate): number {
    return this.sendings.reduce((sum, one) => sum + (one.fate === fate ? one.count : 0), 0);
  }

  get readCount(): number {
    return [...this.#partitions.values()].reduce((sum, { values }) => sum + values.length, 0);
  }

  endOf(topic: string, partition: number): number {
    return this.#partition(topic, partition).values.length;
  }

  #judgeTopic(topic: string): void {
    const places = new Map<string, string>();
    for (const [name, { values }] of this.#partitions) {
      if (!name.startsWith(`${topic}-`)) continue;
      const last = new Map<string, number>();
      for (const [offset, value] of values.entries()) {
        if (value === undefined) {
          this.find(`${name} at ${offset}: nobody could read it`);
          continue;
        }
        const { producer, number, id } = parse(value);
        const where = `${name}@${offset}`;
        const before = places.get(id);
        if (before !== undefined) this.find(`${id} is doubled: at ${before} and ${where}`);
        else if (number <= (last.get(producer) ?? -1))
          this.find(`${id} at ${where} comes after ${last.get(producer)}: out of order`);
        places.set(id, where);
        last.set(producer, number);
      }
    }
    for (const sending of this.sendings) {
      if (sending.topic !== topic) continue;
      for (let number = sending.first; number < sending.first + sending.count; number++) {
        const id = `${sending.producer}.${number}`;
        const where = places.get(id);
        places.delete(id);
        if (sending.fate === 'ok' && where === undefined)
          this.find(`${id} of ${topic} was acknowledged and is LOST`);
        // Of a longer sending some may have failed and others not; the error is the first.
        if (sending.fate === 'failed' && sending.count === 1 && where !== undefined)
          this.find(`${id} "was not written" (${sending.problem}) and is at ${where}`);
      }
    }
    for (const [id, where] of places) this.find(`${id} at ${where} was never sent to ${topic}`);
  }

  #judgeClaim(sending: Sending, ack: Acknowledgement): void {
    const { values } = this.#partition(ack.topic, ack.partition);
    for (let offset = ack.offset; offset < ack.offset + ack.count; offset++) {
      const { producer, number } = parse(values[offset] ?? '');
      const isOurs =
        producer === sending.producer && number >= sending.first && number < sending.first + sending.count;
      if (isOurs) continue;
      const there = headOf(values[offset] ?? 'nothing');
      this.find(
        `${nameOf(sending)}: acknowledged at ${ack.topic}-${ack.partition}@${offset}, where ${there} is`,
      );
      return;
    }
  }

  #partition(topic: string, partition: number): PartitionHistory {
    const name = `${topic}-${partition}`;
    const known = this.#partitions.get(name);
    if (known !== undefined) return known;
    const history = new PartitionHistory();
    this.#partitions.set(name, history);
    return history;
  }
}

export function recordText(producer: string, number: number, fillerBytes: number): string {
  return `${producer}.${number}.${'x'.repeat(fillerBytes)}`;
}

function parse(value: string): { producer: string; number: number; id: string } {
  const [producer = '', number = ''] = value.split('.', 2);
  return { producer, number: Number(number), id: `${producer}.${number}` };
}

function nameOf({ producer, first, count }: Sending): string {
  return `${producer}.${first}..${first + count - 1}`;
}

function headOf(value: string): string {
  return value.slice(0, 24);
}
