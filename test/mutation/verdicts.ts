/** Of mutants that the simulation does not kill: why not. What stands here has been thought about. */

export interface Verdict {
  /** Below the root. */
  readonly file: string;
  /** What stood there, or the beginning of it, with single spaces. */
  readonly was: string;
  readonly change: string;
  /** `equivalent`: no run differs; `harmless`: what is right stays right, but later, dearer or told less; `unseen`: a gap. */
  readonly kind: 'equivalent' | 'harmless' | 'unseen';
  readonly why: string;
}

const REPLICA = 'src/broker/replica';

export const VERDICTS: readonly Verdict[] = [
  {
    file: `${REPLICA}/partition.ts`,
    was: 'log.failure !== undefined',
    change: 'if (log.failure !== undefined) -> false',
    kind: 'harmless',
    why:
      'a log that fails in use still knows truly where its epochs end, and nothing is read from it; one that could not be ' +
      'opened, and knows nothing, never leads, which is a law of the simulation: a guard',
  },
  {
    file: `${REPLICA}/partition.ts`,
    was: 'ack.fetchOffset <= this.log.logEndOffset',
    change: 'if (ack.fetchOffset <= this.log.logEndOffset) -> true',
    kind: 'equivalent',
    why: 'a leader cuts nothing in its epoch, so no follower that agreed is ahead of it: a guard against one that lies',
  },
  {
    file: `${REPLICA}/ack-waiters.ts`,
    was: 'this.#log.flushedOffset >= requiredOffset',
    change: '>= -> >',
    kind: 'harmless',
    why: 'an acknowledgement with acks=1 claims less than is true',
  },
  {
    file: `${REPLICA}/session-partition.ts`,
    was: 'listed.fetchOffset >= end',
    change: '>= -> >',
    kind: 'equivalent',
    why: 'at the end a read finds nothing, and the same is told',
  },
  {
    file: `${REPLICA}/session-partition.ts`,
    was: 'leftBytes <= 0',
    change: '<= -> <',
    kind: 'equivalent',
    why: 'a read of no bytes finds nothing, and the same is told',
  },
  {
    file: `${REPLICA}/replica-set.ts`,
    was: '!state.isLeader && state.leaderEpoch === leaderEpoch',
    change: '&& -> ||',
    kind: 'equivalent',
    why: 'roles change and logs are cut in one queue, and only a reply of the present epoch asks for a cut: a guard',
  },
  {
    file: `${REPLICA}/alter-partitions.ts`,
    was: 'state.isLeader && state.isr === change.isr',
    change: '&& -> ||',
    kind: 'harmless',
    why: 'a change that is old news is asked for once more, and the controller refuses it by its epochs',
  },
  {
    file: `${REPLICA}/alter-partitions.ts`,
    was: 'this.#waiting.set(partition, change); mustRetry = true;',
    change: 'moved behind the next: this.#waiting.set(partition, change);',
    kind: 'equivalent',
    why: 'neither of the two statements looks at what the other does',
  },
  {
    file: `${REPLICA}/leader-fetcher.ts`,
    was: 'this.#flushed.delete(entry);',
    change: 'dropped: this.#flushed.delete(entry);',
    kind: 'equivalent',
    why: 'the listing has told it: without news an entry is left out of the next acknowledgement',
  },
  {
    file: `${REPLICA}/leader-fetcher.ts`,
    was: 'partitions.length >= FRAME_PARTITIONS_MAX',
    change: '>= -> >',
    kind: 'harmless',
    why: 'a frame of 10,001 partitions instead of 10,000, which nobody refuses',
  },
  {
    file: `${REPLICA}/leader-replies.ts`,
    was: 'log.logEndOffset > end',
    change: '> -> >=',
    kind: 'harmless',
    why: 'a log that ends where its leader does is cut at its own end: nothing changes, and a cut that changes nothing waits too',
  },
  {
    file: `${REPLICA}/core/isr-change.ts`,
    was: 'id === state.nodeId',
    change: '?: (id === state.nodeId) -> false',
    kind: 'harmless',
    why: 'the request says of which incarnation the leader is, too, and there it is looked at',
  },
  {
    file: `${REPLICA}/core/isr-change.ts`,
    was: 'state.commitIsr(reply.isr, reply.partitionEpoch);',
    change: 'dropped: state.commitIsr(reply.isr, reply.partitionEpoch);',
    kind: 'harmless',
    why: 'the metadata say the same a moment later',
  },
  {
    file: `${REPLICA}/core/eligibility.ts`,
    was: 'progress.brokerEpoch !== NONE && progress.brokerEpoch === broker.epoch',
    change: '&& -> ||',
    kind: 'harmless',
    why: 'a follower that was started again is asked for by what its predecessor had, which the controller refuses (KIP-903), until it fetches',
  },
  {
    file: `${REPLICA}/core/partition-state.ts`,
    was: 'assignment.partitionEpoch < this.partitionEpoch',
    change: '< -> <=',
    kind: 'equivalent',
    why: 'what the metadata say of an epoch is what the answer to the change said of it',
  },
  {
    file: `${REPLICA}/consumer-fetches.ts`,
    was: 'const round = await this.#read(work);',
    change: 'moved behind the next: const round = await this.#read(work);',
    kind: 'harmless',
    why: 'the time that is left is taken before the read: it waits longer by that',
  },
  {
    file: `${REPLICA}/offset-lookup.ts`,
    was: 'const found = await',
    change: 'moved behind the next: const found = await (timestampMs === MAX_TIMESTAMP ? log....',
    kind: 'harmless',
    why: 'a leader of a moment ago says what was committed then, and stays so',
  },
];
