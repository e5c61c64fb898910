/** Whom to ask next when any broker will do: those that have not failed lately first, by turns. Pure. */
import type { MonotonicMs } from '../../base/index.ts';
import { type Address, formatAddress } from '../../rpc/api/index.ts';

export class Candidates {
  readonly #bootstrap: readonly Address[];
  #known: readonly Address[] = [];
  readonly #failedMs = new Map<string, MonotonicMs>();
  #turn: number;

  /** `turn` chooses who is asked first, so that clients do not all ask the same broker. */
  constructor(bootstrap: readonly Address[], turn: number) {
    this.#bootstrap = bootstrap;
    this.#turn = turn;
  }

  /** Brokers learnt from the cluster come before the bootstrap list, which stays as the last resort. */
  learn(addresses: readonly Address[]): void {
    this.#known = addresses;
  }

  failed(address: Address, nowMs: MonotonicMs): void {
    this.#failedMs.set(formatAddress(address), nowMs);
  }

  answered(address: Address): void {
    this.#failedMs.delete(formatAddress(address));
  }

  /** All addresses once: never failed before failed, longest ago first; among equals by turns. Not empty. */
  inOrder(): Address[] {
    const known = distinct(this.#known);
    const turned = known.map((_, index) => known[(index + this.#turn) % known.length] as Address);
    this.#turn = (this.#turn + 1) % 1_000_003;
    const all = distinct([...turned, ...this.#bootstrap]);
    const failedMs = (address: Address): number => this.#failedMs.get(formatAddress(address)) ?? -Infinity;
    return all.sort((a, b) => (failedMs(a) === failedMs(b) ? 0 : failedMs(a) - failedMs(b)));
  }
}

function distinct(addresses: readonly Address[]): Address[] {
  return [...new Map(addresses.map((address) => [formatAddress(address), address])).values()];
}
