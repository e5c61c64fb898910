/** What was found: of each kind the first ones in full, and how many there were. */
import type { Offset, PartitionId } from '../../base/index.ts';
import { type AnomalyKind, FINDINGS_MAX, type Finding } from './verdict.ts';

export interface Evidence {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly offset?: Offset;
  readonly value?: string;
  /** In any order, repeated or -1 for "none". */
  readonly events: readonly number[];
}

export class Findings {
  readonly #kept = new Map<AnomalyKind, Finding[]>();
  readonly counts = new Map<AnomalyKind, number>();

  add(kind: AnomalyKind, message: string, evidence: Evidence): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    const kept = this.#kept.get(kind) ?? [];
    if (kept.length === 0) this.#kept.set(kind, kept);
    if (kept.length >= FINDINGS_MAX) return;
    const events = [...new Set(evidence.events)].filter((index) => index >= 0).sort((a, b) => a - b);
    kept.push({ kind, message, ...evidence, events });
  }

  /** Without those of the kinds in `allowed`, by their first event. */
  keptBut(allowed: readonly AnomalyKind[]): Finding[] {
    return [...this.#kept.values()]
      .flat()
      .filter(({ kind }) => !allowed.includes(kind))
      .sort((a, b) => (a.events[0] ?? 0) - (b.events[0] ?? 0));
  }
}
