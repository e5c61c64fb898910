import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a restarted leader leads on in the epoch it led before',
  source: 'KAFKA-10527',
  edits: [
    {
      file: 'src/raft/core/roles/enter.ts',
      find: `    return { kind: 'resigned', deadlineMs: firstMs, preferredCandidates: [], announcements: new Map() };`,
      replace: `    return {
      kind: 'leader',
      epochStartOffset: q.log.endOffset,
      replicas: new Map(),
      highWatermark: NONE,
      electedAtMs: q.nowMs,
      checkQuorumMs: q.nowMs + checkQuorumMs(q),
      parked: new Map(),
      announcements: announceToAll(q),
      uncommittedSizes: [],
      uncommittedFrom: q.log.endOffset,
      uncommittedBytes: 0,
    };`,
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};
