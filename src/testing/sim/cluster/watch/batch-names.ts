/**
 * A leader epoch has one leader, which writes each offset once: so wherever the two are the same the batch is the same, long
 * before anybody calls it committed. Source: Raft §5.3, the log matching property.
 */
import type { LeaderEpoch, Offset } from '../../../../base/index.ts';
import { LawBroken } from '../law-broken.ts';
import type { StoredBatch } from './durable-log.ts';

export class BatchNames {
  readonly #byEpoch = new Map<LeaderEpoch, Map<Offset, StoredBatch>>();

  /** Throws LawBroken when another disk has another batch of this name. */
  judge(batch: StoredBatch): void {
    const { epoch, base, end, crc } = batch;
    const ofEpoch = this.#byEpoch.get(epoch) ?? new Map<Offset, StoredBatch>();
    if (ofEpoch.size === 0) this.#byEpoch.set(epoch, ofEpoch);
    const known = ofEpoch.get(base);
    if (known === undefined) ofEpoch.set(base, batch);
    else if (known.crc !== crc || known.end !== end)
      throw new LawBroken('a leader epoch and an offset name one batch', { found: batch, known });
  }
}
