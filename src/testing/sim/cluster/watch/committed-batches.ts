/** The batches of one partition below the largest high watermark that a leader had. They never change. */
import type { LeaderEpoch, Offset } from '../../../../base/index.ts';
import type { DurableLog, StoredBatch } from './durable-log.ts';

/** Two disks that disagree; undefined: nothing was committed there, or it ends elsewhere. */
export interface Disagreement {
  readonly found: StoredBatch;
  readonly committed: StoredBatch | undefined;
}

export class CommittedBatches {
  readonly #byBase = new Map<Offset, StoredBatch>();
  /** Ascending. */
  readonly #bases: Offset[] = [];
  /** Exclusive. */
  end: Offset = 0;

  /** Takes what the disk of the leader has below `committed` and nobody had before. */
  learn(disk: DurableLog, committed: Offset): void {
    for (const batch of disk.found) {
      if (batch.end > committed) return;
      if (batch.base < this.end) continue;
      this.#byBase.set(batch.base, batch);
      this.#bases.push(batch.base);
      this.end = batch.end;
    }
  }

  /** Of the batch that holds `offset`. */
  epochAt(offset: Offset): LeaderEpoch | undefined {
    const base = this.#bases.findLast((candidate) => candidate <= offset);
    const batch = base === undefined ? undefined : this.#byBase.get(base);
    return batch !== undefined && offset < batch.end ? batch.epoch : undefined;
  }

  /** Compares what is on the disk below `to` and was not compared before; stops at what differs. */
  check(disk: DurableLog, to: Offset): Disagreement | undefined {
    for (;;) {
      const [batch] = disk.found;
      if (batch === undefined || batch.end > to) return undefined;
      const known = this.#byBase.get(batch.base);
      if (known === undefined || !isSame(known, batch)) return { found: batch, committed: known };
      disk.found.shift();
      disk.checked = batch.end;
    }
  }

  /** What the disk lacks or has otherwise, of all that reaches beyond `logStart`. */
  missing(disk: DurableLog, logStart: Offset): { readonly at: Offset } | undefined {
    const stored = new Map(disk.all().map((batch) => [batch.base, batch]));
    for (const batch of this.#byBase.values()) {
      if (batch.end <= logStart) continue;
      const found = stored.get(batch.base);
      if (found === undefined || !isSame(batch, found)) return { at: batch.base };
    }
    return undefined;
  }
}

/** The checksum covers all but offset and epoch. */
function isSame(a: StoredBatch, b: StoredBatch): boolean {
  return a.end === b.end && a.epoch === b.epoch && a.crc === b.crc;
}
