import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/base/index.ts';
import type { Broker } from '../../../src/broker/index.ts';
import { probeEnd } from '../../../src/testing/sim/cluster/watch/end-probe.ts';

const question = { topic: 't', partition: 0, leaderEpoch: 3, committed: 7 };

function brokerThatTells(error: ErrorCode, offset: number): Pick<Broker, 'broker'> {
  const listOffsets = () =>
    Promise.resolve({ partitions: [{ ...question, error, offset, timestampMs: -1 }] });
  return { broker: { listOffsets } } as unknown as Pick<Broker, 'broker'>;
}

describe('the probe of ends', () => {
  it('sees an end below what was committed', async () => {
    await expect(probeEnd(brokerThatTells('NONE', 6), question)).rejects.toThrow(
      'an end that was told does not fall',
    );
  });

  it('takes what is committed, and that a leader does not know', async () => {
    await expect(probeEnd(brokerThatTells('NONE', 7), question)).resolves.toBeUndefined();
    await expect(probeEnd(brokerThatTells('OFFSET_NOT_AVAILABLE', -1), question)).resolves.toBeUndefined();
  });
});
