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
  {
    file: `${REPLICA}/isr-keeper.ts`,
    was: 'log.failure !== undefined',
    change: 'if (log.failure !== undefined) -> false',
    kind: 'harmless',
    why: 'whoever has lost a log tells the controller, which takes the office from it before anybody has lagged for long; who cannot tell cannot ask for a smaller set either: a guard',
  },
  {
    file: `${REPLICA}/core/follower-progress.ts`,
    was: 'this.#markOffset = leaderEndOffset;',
    change: 'moved behind the next: this.#markOffset = leaderEndOffset;',
    kind: 'equivalent',
    why: 'neither of the two assignments looks at the other',
  },
  {
    file: `${REPLICA}/core/partition-state.ts`,
    was: 'this.leaderId = assignment.leader;',
    change: 'moved behind the next: this.leaderId = assignment.leader;',
    kind: 'equivalent',
    why: 'neither of the two assignments looks at the other',
  },
  {
    file: `${REPLICA}/core/partition-state.ts`,
    was: 'this.partitionEpoch = partitionEpoch;',
    change: 'dropped: this.partitionEpoch = partitionEpoch;',
    kind: 'harmless',
    why: 'the metadata say the same a moment later, and until then a change is refused by its epoch',
  },
  {
    file: `${REPLICA}/core/low-watermark.ts`,
    was: 'behind.push(id);',
    change: 'dropped: behind.push(id);',
    kind: 'harmless',
    why: 'who is named in the text of a timeout; a unit test has it since',
  },
  {
    file: `${REPLICA}/core/low-watermark.ts`,
    was: 'ownLogStart < offset',
    change: '< -> <=',
    kind: 'harmless',
    why: 'who is named in the text of a timeout; a unit test has it since',
  },
  {
    file: `${REPLICA}/core/low-watermark.ts`,
    was: 'ownLogStart < offset',
    change: '< -> >=',
    kind: 'harmless',
    why: 'who is named in the text of a timeout; a unit test has it since',
  },
  {
    file: `${REPLICA}/core/low-watermark.ts`,
    was: 'ownLogStart < offset',
    change: '?: (ownLogStart < offset) -> true',
    kind: 'harmless',
    why: 'who is named in the text of a timeout; a unit test has it since',
  },
  {
    file: `${REPLICA}/pending-produce.ts`,
    was: "this.fail(index, { error: 'REQUEST_TIMED_OUT'",
    change: "dropped: this.fail(index, { error: 'REQUEST_TIMED_OUT', errorMessa...",
    kind: 'harmless',
    why: 'a client gives up by itself, a little later',
  },
  {
    file: `${REPLICA}/replica-logs.ts`,
    was: 'await this.#logs.delete(topic, partition, other.topicId)',
    change: 'await removed',
    kind: 'harmless',
    why: 'while the old log is there none of another topic is made in its place: it is tried again',
  },
  {
    file: `${REPLICA}/replica-logs.ts`,
    was: 'await this.#logs.delete(topic, partition, own.topicId)',
    change: 'await removed',
    kind: 'harmless',
    why: 'while the old log is there none of another topic is made in its place: it is tried again',
  },
  {
    file: `${REPLICA}/replica-logs.ts`,
    was: 'await this.#logs.removeDamaged(topic, partition)',
    change: 'await removed',
    kind: 'harmless',
    why: 'what a person may look at goes a little later',
  },
  {
    file: `${REPLICA}/replica-logs.ts`,
    was: 'await this.#logs.setAside(twin)',
    change: 'await removed',
    kind: 'harmless',
    why: 'of twins that stay for a moment none is served',
  },
  {
    file: `${REPLICA}/replica-logs.ts`,
    was: 'const twins = this.#logs',
    change: 'moved behind the next: const twins = this.#logs .findAll(topic, partition) .filt...',
    kind: 'equivalent',
    why: 'the damaged log that goes first is none of its twins',
  },
  {
    file: `${REPLICA}/replica-logs.ts`,
    was: 'await this.#logs.setAside(other)',
    change: 'await removed',
    kind: 'unseen',
    why: 'a log that does not say whose it is, where a topic is made: no run had one',
  },
  {
    file: `${REPLICA}/replica-manager.ts`,
    was: 'await lookUpOffset(partition, request, isolation)',
    change: 'await removed',
    kind: 'harmless',
    why: 'what is refused for one partition is refused for all of its request, and asked for again',
  },
  {
    file: `${REPLICA}/replica-manager.ts`,
    was: 'await this.#replicas.close()',
    change: 'await removed',
    kind: 'harmless',
    why: 'the directories wait for their own work when they are closed',
  },
  {
    file: `${REPLICA}/replica-set.ts`,
    was: 'await this.#options.assignments.settled()',
    change: 'await removed',
    kind: 'harmless',
    why: 'a broker is unfenced before the controller knows in which directories its logs are, which it hears soon',
  },
  {
    file: `${REPLICA}/replica-set.ts`,
    was: 'await this.#queue.settled()',
    change: 'await removed',
    kind: 'harmless',
    why: 'a broker is unfenced before all of its logs are made; until they are it answers for them that it does not lead',
  },
  {
    file: `${REPLICA}/core/follower-progress.ts`,
    was: 'report.brokerEpoch === this.brokerEpoch',
    change: '=== -> !==',
    kind: 'unseen',
    why: 'an acknowledgement that overtakes a listing which then waits for long: a unit test has it',
  },
  {
    file: `${REPLICA}/core/follower-progress.ts`,
    was: 'this.endOffset = report.endOffset;',
    change: 'dropped: this.endOffset = report.endOffset;',
    kind: 'unseen',
    why: 'within a leader epoch the end of a log falls only when it was made anew, and what is lost then must be lost again before it is synced',
  },
  {
    file: `${REPLICA}/core/follower-fetch.ts`,
    was: 'problem !== undefined',
    change: '!== -> ===',
    kind: 'unseen',
    why: 'streams end with the epoch and with the process: nobody in a run fetches with those of a former one',
  },
  {
    file: `${REPLICA}/core/follower-fetch.ts`,
    was: 'mine === undefined',
    change: '=== -> !==',
    kind: 'unseen',
    why: 'logs that differ over three leader epochs: no run had them',
  },
];
