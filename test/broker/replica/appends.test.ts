import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { Appends } from '../../../src/broker/replica/appends.ts';
import { PENDING_PRODUCE_BYTES_MAX } from '../../../src/broker/replica/limits.ts';
import type { Partition } from '../../../src/broker/replica/partition.ts';
import type { PendingProduce } from '../../../src/broker/replica/pending-produce.ts';
import { Scheduler, VirtualTimers } from '../../../src/testing/twins/index.ts';

const REF = { topic: 't', partition: 0 };
const HALF = new Uint8Array(PENDING_PRODUCE_BYTES_MAX / 2);

describe('appends that wait', () => {
  it('hold so many bytes together, and take more when some are acknowledged', async () => {
    const waiting: PendingProduce[] = [];
    const appended = { firstOffset: 0, lastOffset: 0, leaderEpoch: 0, logAppendTimeMs: -1, duplicate: false };
    const partition = {
      log: { logStartOffset: 0 },
      append: () => appended,
      awaitAck: (_acks: number, _offset: number, request: PendingProduce) => void waiting.push(request),
      noteGaveUp: () => {},
    } as unknown as Partition;
    const timers = new VirtualTimers(new Scheduler({ random: new SeededRandom(1) }));
    const appends = new Appends({ timers, find: () => partition, report: () => {} });
    const send = () =>
      appends.append({
        acks: -1,
        timeoutMs: 1000,
        batches: [
          { ...REF, batch: HALF },
          { ...REF, batch: HALF },
        ],
      });
    void send();
    expect((await send()).map(({ error }) => error)).toEqual(['RESOURCE_EXHAUSTED', 'RESOURCE_EXHAUSTED']);
    for (const index of [0, 1]) waiting[index]?.acknowledge(index, { replicas: [], synced: false });
    await Promise.resolve();
    void send();
    expect(appends.pendingCount).toBe(1);
    expect(waiting).toHaveLength(4);
  });
});
