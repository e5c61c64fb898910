/** Whether each value met the fate that its sender was told. */
import type { Offset } from '../../base/index.ts';
import type { Case, PartitionCase } from './case.ts';
import type { EarlyRead } from './readers.ts';
import type { Placed, Sending } from './sends.ts';

export class FateJudge {
  readonly #case: Case;

  constructor(judged: Case) {
    this.#case = judged;
  }

  judge(sending: Sending): void {
    const { fate, first, count, isDurable, topic } = sending;
    for (let id = first; id < first + count; id++) {
      if (fate === 'fail') this.#judgeFailed(sending, id);
      else if (fate !== 'ok') {
        this.#case.count('unknown');
        if (this.#case.values.isRead(id)) this.#case.count('recovered');
      } else if (isDurable && topic.demands.compacted !== true) this.#judgeAcknowledged(sending, id);
    }
  }

  /** Of what nobody ever sent. */
  judgeEarly(id: number, { partition, offset, event }: EarlyRead): void {
    const { values, findings, topics } = this.#case;
    if (values.resolve(id) !== id) return;
    const value = values.nameOf(id);
    const others = [...topics.values()].filter((topic) => isSentTo(topic.values.get(value), this.#case));
    const hint = others.length === 0 ? 'by anybody' : `here, but to ${others.map(({ name }) => name)}`;
    findings.add('phantom', `${partition.place(offset)}: "${value}" was not sent ${hint}`, {
      topic: partition.topic.name,
      partition: partition.id,
      offset,
      value,
      events: [event],
    });
  }

  #judgeFailed({ topic, partition, invokedAt, settledAt }: Sending, id: number): void {
    const { values, findings } = this.#case;
    if (!values.isRead(id)) return;
    const value = values.nameOf(id);
    const message = `"${value}" was read from ${topic.name}; its send certainly failed`;
    const events = [invokedAt, settledAt, values.readBy(id)];
    findings.add('G1a', message, { topic: topic.name, partition, value, events });
  }

  #judgeAcknowledged(sending: Sending, id: number): void {
    const { values, finalAt } = this.#case;
    if (!values.isRead(id)) this.#case.count('unread');
    const [only] = sending.placed;
    const isExact = only !== undefined && only.count === sending.count && only.offset >= 0;
    const isFinal = sending.settledAt < finalAt && finalAt !== Infinity;
    if (isFinal ? values.isReadFinally(id) : values.isRead(id)) return;
    if (isExact) this.#judgeAt(sending, id, only, only.offset + id - sending.first, isFinal);
    else this.#judgeSomewhere(sending, id, isFinal);
  }

  /** It is known where the value must be. */
  #judgeAt(sending: Sending, id: number, { partition, log }: Placed, offset: Offset, isFinal: boolean): void {
    if (offset < partition.goneBelow || !log.isStrict) return;
    if (isFinal && log === partition.log) {
      const isPassed = log.coveredFinally.covers(offset, offset + 1);
      this.#report(isPassed ? 'lost-write' : 'unseen', sending, id, partition, offset);
    } else if (log.covered.covers(offset, offset + 1) && !this.#case.values.isRead(id))
      this.#report('lost-write', sending, id, partition, offset);
  }

  /** It is in one of several places, or nobody knows where. */
  #judgeSomewhere(sending: Sending, id: number, isFinal: boolean): void {
    const { topic, placed, count } = sending;
    const partitions =
      placed.length > 0
        ? placed.map(({ partition }) => partition)
        : [...topic.partitions.values()].filter(
            (one) => sending.partition < 0 || one.id === sending.partition,
          );
    if (partitions.some((partition) => partition.wasDoubted || partition.goneBelow > 0)) return;
    const told = placed.reduce((sum, one) => sum + one.count, 0);
    const isPlaced = told === count && placed.every(({ offset }) => offset >= 0);
    if (!isPlaced && !isFinal) return;
    const isPassed = isPlaced
      ? placed.every(({ log, offset, count: length }) =>
          (isFinal ? log.coveredFinally : log.covered).covers(offset, offset + length),
        )
      : partitions.length > 0 && partitions.every(({ log }) => !log.coveredFinally.isEmpty);
    if (isPassed || isFinal) this.#report(isPassed ? 'lost-write' : 'unseen', sending, id);
  }

  #report(
    kind: 'lost-write' | 'unseen',
    { topic, partition: partitionId, invokedAt, settledAt }: Sending,
    id: number,
    partition?: PartitionCase,
    offset?: Offset,
  ): void {
    const { values, findings } = this.#case;
    const value = values.nameOf(id);
    const where = partition === undefined ? topic.name : partition.place(offset ?? -1);
    const fate = kind === 'lost-write' ? 'readers passed by without it' : 'nobody read so far at the end';
    findings.add(kind, `${where}: "${value}" was acknowledged, and ${fate}`, {
      topic: topic.name,
      partition: partition?.id ?? partitionId,
      ...(offset === undefined ? {} : { offset }),
      value,
      events: [invokedAt, settledAt, values.readBy(id)],
    });
  }
}

function isSentTo(id: number | undefined, judged: Case): boolean {
  return id !== undefined && judged.values.sendOf(id) >= 0;
}
