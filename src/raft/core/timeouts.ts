/**
 * The times of one quorum node. Defaults are Kafka's where Kafka has the key (controller.quorum.*).
 *
 * Everything else that waits is derived from these, so that one factor scales a whole node.
 */
export interface QuorumTimeouts {
  /** T: an election is sought after a random time in [T, 2T) without a leader. */
  readonly electionTimeoutMs: number;
  /** Silence of the leader before a follower seeks an election; 1.5 times it is the leader's check-quorum. */
  readonly fetchTimeoutMs: number;
  /** Longest wait between two lost elections of one node. */
  readonly electionBackoffMaxMs: number;
  /** Deadline of every call to a peer, a fetch's parking time added. */
  readonly requestTimeoutMs: number;
  /** After the leader's connection broke: how long it may take to come back before an election is sought. */
  readonly disconnectGraceMs: number;
  /** How long a leader may park a fetch. */
  readonly fetchMaxWaitMs: number;
  /** Wait before a failed call is made again. */
  readonly retryBackoffMs: number;
}

export const DEFAULT_QUORUM_TIMEOUTS: QuorumTimeouts = {
  electionTimeoutMs: 1000,
  fetchTimeoutMs: 2000,
  electionBackoffMaxMs: 1000,
  requestTimeoutMs: 2000,
  disconnectGraceMs: 300,
  fetchMaxWaitMs: 500,
  retryBackoffMs: 30,
};

/** Every time multiplied by `factor`: 0.1 is the profile of tests. */
export function scaleQuorumTimeouts(timeouts: QuorumTimeouts, factor: number): QuorumTimeouts {
  return {
    electionTimeoutMs: timeouts.electionTimeoutMs * factor,
    fetchTimeoutMs: timeouts.fetchTimeoutMs * factor,
    electionBackoffMaxMs: timeouts.electionBackoffMaxMs * factor,
    requestTimeoutMs: timeouts.requestTimeoutMs * factor,
    disconnectGraceMs: timeouts.disconnectGraceMs * factor,
    fetchMaxWaitMs: timeouts.fetchMaxWaitMs * factor,
    retryBackoffMs: timeouts.retryBackoffMs * factor,
  };
}
