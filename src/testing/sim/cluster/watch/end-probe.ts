/**
 * Asks a new leader where its partition ends before it knows all that its predecessors showed: of clients hardly any asks just
 * then. It may say that it does not know; what it tells is no less than what was committed. Source: KIP-207.
 */
import type { LeaderEpoch, Offset, PartitionId } from '../../../../base/index.ts';
import type { Broker } from '../../../../broker/index.ts';
import { type CallContext, LATEST_TIMESTAMP } from '../../../../rpc/api/index.ts';
import { LawBroken } from '../law-broken.ts';

export interface EndQuestion {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly leaderEpoch: LeaderEpoch;
  readonly committed: Offset;
}

const CALL: CallContext = { peer: 'observer', signal: new AbortController().signal };

/** Rejects with LawBroken. */
export async function probeEnd(broker: Pick<Broker, 'broker'>, question: EndQuestion): Promise<void> {
  const { topic, partition, leaderEpoch, committed } = question;
  const asked = { topic, partition, timestampMs: LATEST_TIMESTAMP, currentLeaderEpoch: leaderEpoch };
  const request = { isolation: 'read_uncommitted', partitions: [asked], forwarded: true } as const;
  const { partitions } = await broker.broker.listOffsets(request, CALL);
  for (const { error, offset } of partitions)
    if (error === 'NONE' && offset < committed)
      throw new LawBroken('an end that was told does not fall', { ...question, offset });
}
