/**
 * `end`: records were appended. `high-watermark`: it moved. `log-start`: it moved, here or at a follower.
 * `role`: leadership or its epoch changed.
 */
export type PartitionChange = 'end' | 'high-watermark' | 'log-start' | 'role';

export interface PartitionListener {
  /** Called inside the change: note it, act later. */
  handlePartitionChange(change: PartitionChange): void;
}

export class PartitionListeners {
  readonly #listeners = new Set<PartitionListener>();

  add(listener: PartitionListener): void {
    this.#listeners.add(listener);
  }

  delete(listener: PartitionListener): void {
    this.#listeners.delete(listener);
  }

  /** Some leave while they are told. */
  emit(change: PartitionChange): void {
    for (const listener of this.#listeners) listener.handlePartitionChange(change);
  }
}
