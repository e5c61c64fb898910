import { assertNever, NONE } from '../../base/index.ts';
import type { QuorumAnswer, QuorumRequest } from '../core/index.ts';

/** What a node answers that does not take part in a quorum yet: it decides nothing and is asked again. */
export function refusal({ kind }: QuorumRequest): QuorumAnswer {
  const reply = { error: 'BROKER_NOT_AVAILABLE', leaderId: NONE, leaderEpoch: 0 } as const;
  switch (kind) {
    case 'vote':
      return { kind, reply: { ...reply, voteGranted: false } };
    case 'begin-epoch':
    case 'end-epoch':
      return { kind, reply };
    case 'fetch':
      return { kind, reply: { ...reply, highWatermark: NONE, logStartOffset: 0, entries: [] } };
    default:
      return assertNever(kind);
  }
}
