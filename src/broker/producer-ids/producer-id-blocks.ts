/**
 * Producer ids in stock: half-open blocks from the controller, handed out one by one, never twice.
 *
 * A new block is wanted as soon as half of one block's size is left, so that producers can start while no controller
 * answers. Ids left at the end of the process are lost; there are 2^53. Source: KIP-730.
 */
import { assert, type ProducerId } from '../../base/index.ts';

/** What the controller gives at a time. */
export const PRODUCER_ID_BLOCK = 1_000;

export class ProducerIdBlocks {
  #blocks: { next: ProducerId; readonly end: ProducerId }[] = [];

  get left(): number {
    return this.#blocks.reduce((sum, { next, end }) => sum + end - next, 0);
  }

  get wantsBlock(): boolean {
    return this.left <= PRODUCER_ID_BLOCK / 2;
  }

  add(first: ProducerId, count: number): void {
    assert(Number.isSafeInteger(first) && first >= 0 && count > 0, 'no block of producer ids', {
      first,
      count,
    });
    this.#blocks.push({ next: first, end: first + count });
  }

  /** An id that was never given out before; undefined: none is left. */
  take(): ProducerId | undefined {
    const block = this.#blocks[0];
    if (block === undefined) return undefined;
    const id = block.next;
    block.next += 1;
    if (block.next >= block.end) this.#blocks.shift();
    return id;
  }
}
