import type { RaftNode } from '../raft/index.ts';

/** Resolves when this node knows who leads the quorum. */
export function whenLeaderKnown(raft: RaftNode): Promise<void> {
  return new Promise((resolve) => {
    if (raft.status().leaderId >= 0) return resolve();
    const unsubscribe = raft.subscribe({
      handleCommit() {},
      handleLeaderChange({ leaderId }) {
        if (leaderId < 0) return;
        unsubscribe();
        resolve();
      },
      handleLeading() {},
      handleNotLeading() {},
    });
  });
}
