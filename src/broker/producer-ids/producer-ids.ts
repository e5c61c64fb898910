import { ApiError, type BrokerEpoch, type NodeId } from '../../base/index.ts';
import type { InitProducerIdReply } from '../../rpc/api/index.ts';
import type { ControllerChannel } from '../controller/controller-channel.ts';
import { messageOf } from '../flow/outcome.ts';
import { ProducerIdBlocks } from './producer-id-blocks.ts';

export interface ProducerIdsOptions {
  readonly nodeId: NodeId;
  readonly brokerEpoch: () => BrokerEpoch;
  readonly controller: ControllerChannel;
  /** How long a producer may wait here when no id is in stock. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/** Ids for new idempotent producers, from blocks fetched ahead. */
export class ProducerIds {
  readonly #options: ProducerIdsOptions;
  readonly #blocks = new ProducerIdBlocks();
  #fetching: Promise<void> | undefined;

  constructor(options: ProducerIdsOptions) {
    this.#options = options;
  }

  /** Fetches a block when the stock is low. Never rejects: the next producer tries again. */
  prefetch(): void {
    if (this.#blocks.wantsBlock) this.#fetch().catch(() => {});
  }

  /** A retriable ApiError with the reason when none is in stock and no controller gives any. */
  async initProducerId(): Promise<InitProducerIdReply> {
    let producerId = this.#blocks.take();
    if (producerId === undefined) {
      try {
        await this.#fetch();
      } catch (error) {
        throw new ApiError('NOT_CONTROLLER', `no producer ids are left on this broker; ${messageOf(error)}`);
      }
      producerId = this.#blocks.take();
    }
    this.prefetch();
    if (producerId === undefined)
      throw new ApiError(
        'RESOURCE_EXHAUSTED',
        'more producers start at once than ids were fetched; try again',
      );
    return { producerId, producerEpoch: 0 };
  }

  /** One call in flight, shared by all who wait. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#fetchBlock().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchBlock(): Promise<void> {
    const { controller, nodeId, brokerEpoch, waitMs, signal } = this.#options;
    const block = await controller.call(
      // A block that was allocated and whose reply was lost is never used: repeating is harmless.
      (service, call) => service.allocateProducerIds({ brokerId: nodeId, brokerEpoch: brokerEpoch() }, call),
      { timeoutMs: waitMs, repeatable: true, signal },
    );
    this.#blocks.add(block.firstProducerId, block.count);
  }
}
