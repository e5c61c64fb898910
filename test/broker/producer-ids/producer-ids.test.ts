import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../src/base/index.ts';
import type { ControllerChannel } from '../../../src/broker/controller/controller-channel.ts';
import { PRODUCER_ID_BLOCK, ProducerIdBlocks } from '../../../src/broker/producer-ids/producer-id-blocks.ts';
import { ProducerIds } from '../../../src/broker/producer-ids/producer-ids.ts';
import { settle } from '../../../src/testing/twins/scheduler.ts';

describe('blocks', () => {
  it('give every id once, in order, over several blocks', () => {
    const blocks = new ProducerIdBlocks();
    blocks.add(5, 2);
    blocks.add(1_000, 1);
    expect([blocks.take(), blocks.take(), blocks.take(), blocks.take()]).toEqual([5, 6, 1_000, undefined]);
  });

  it('want more when half of a block is left', () => {
    const blocks = new ProducerIdBlocks();
    expect(blocks.wantsBlock).toBe(true);
    blocks.add(0, PRODUCER_ID_BLOCK);
    for (let i = 0; i < PRODUCER_ID_BLOCK / 2 - 1; i++) blocks.take();
    expect(blocks.wantsBlock).toBe(false);
    blocks.take();
    expect(blocks.wantsBlock).toBe(true);
  });
});

describe('producer ids', () => {
  /** Controllers that give blocks until they are gone. */
  function cluster() {
    const state = { next: 0, calls: 0, gone: false };
    const controller = {
      call: () => {
        state.calls += 1;
        if (state.gone) return Promise.reject(new ApiError('NOT_CONTROLLER', 'no active controller'));
        state.next += PRODUCER_ID_BLOCK;
        return Promise.resolve({ firstProducerId: state.next - PRODUCER_ID_BLOCK, count: PRODUCER_ID_BLOCK });
      },
    } as unknown as ControllerChannel;
    const signal = new AbortController().signal;
    const ids = new ProducerIds({ nodeId: 1, brokerEpoch: () => 1, controller, waitMs: 1_000, signal });
    return { state, ids };
  }

  it('are there while no controller answers, once a block was fetched', async () => {
    const { state, ids } = cluster();
    ids.prefetch();
    await settle();
    state.gone = true;
    for (let i = 0; i < PRODUCER_ID_BLOCK; i++)
      expect(await ids.initProducerId()).toEqual({ producerId: i, producerEpoch: 0 });
    await expect(ids.initProducerId()).rejects.toMatchObject({
      code: 'NOT_CONTROLLER',
      retriable: true,
      message: 'no producer ids are left on this broker; no active controller',
    });
  });

  it('are fetched once for all who wait', async () => {
    const { state, ids } = cluster();
    const given = await Promise.all(Array.from({ length: 20 }, () => ids.initProducerId()));
    expect(new Set(given.map(({ producerId }) => producerId)).size).toBe(20);
    expect(state.calls).toBe(1);
  });
});
