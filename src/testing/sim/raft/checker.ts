/**
 * The omniscient checker: sees every disk, message and delivery of every node over all time, and holds the quorum to
 * its laws after each event. It goes by what is on disk, never by what a node says is on disk.
 *
 * Source: Raft figure 3 (election safety, leader append-only, log matching, leader completeness, state machine safety),
 * KIP-595; Kafka's RaftEventSimulationTest.
 */
import { AssertionError, type NodeId, type Offset, type QuorumEpoch } from '../../../base/index.ts';
import type { QuorumAnswer, QuorumRequest, RaftCore } from '../../../raft/core/index.ts';
import { VoterSet, voterName } from '../../../raft/core/index.ts';
import type { Entry, VoterKey } from '../../../raft/index.ts';
import type { SimNode } from './node.ts';

interface Identity {
  readonly entry: Entry;
  /** Epoch of the entry before. Undefined while only seen without it. */
  previousEpoch: QuorumEpoch | undefined;
}

export class Violation extends Error {
  override readonly name = 'Violation';
}

export class Checker {
  readonly #nodes: readonly SimNode[];
  /** By epoch: the one leader, `<name>#<incarnation>`. */
  readonly #leaders = new Map<QuorumEpoch, string>();
  /** By `<voter>@<epoch>`. */
  readonly #votes = new Map<string, string>();
  /** By offset, then epoch. */
  readonly #entries: Map<QuorumEpoch, Identity>[] = [];
  /** What any node ever reported as committed, by offset. */
  readonly committed: Entry[] = [];
  readonly #highestSaid = new Map<string, QuorumEpoch>();
  /** Per process: highest epoch and high watermark seen. */
  readonly #seen = new Map<NodeId, { incarnation: number; epoch: QuorumEpoch; highWatermark: Offset }>();

  constructor(nodes: readonly SimNode[]) {
    this.#nodes = nodes;
  }

  /** After an event in which `node` may have changed. */
  check(node: SimNode): void {
    const core = node.process?.driver.core;
    if (core === undefined || node.process === undefined) return;
    let seen = this.#seen.get(node.id);
    if (seen?.incarnation !== node.process.incarnation) {
      seen = { incarnation: node.process.incarnation, epoch: 0, highWatermark: -1 };
      this.#seen.set(node.id, seen);
    }
    const { epoch, highWatermark } = core;
    if (epoch < seen.epoch) fail('the epoch of a node falls', { node: node.id, epoch, before: seen.epoch });
    seen.epoch = epoch;
    if (core.role === 'leader') this.#checkLeader(node, core);
    if (highWatermark === seen.highWatermark) return;
    if (highWatermark < seen.highWatermark) fail('a high watermark falls', { node: node.id, highWatermark });
    seen.highWatermark = highWatermark;
    this.#checkHighWatermark(node, core);
  }

  #checkLeader(node: SimNode, core: RaftCore): void {
    const name = `${voterName(node.key)}#${node.incarnation}`;
    const leader = this.#leaders.get(core.epoch);
    if (leader === name) return;
    if (leader !== undefined) fail('two leaders in one epoch', { epoch: core.epoch, leader, other: name });
    if (!core.isVoter) fail('a node without a vote leads', { name });
    this.#leaders.set(core.epoch, name);
    const last = this.committed.at(-1);
    if (last === undefined) return;
    if (core.logEndOffset <= last.offset || core.epochAt(last.offset) !== last.epoch)
      fail('a leader lacks a committed entry', { name, epoch: core.epoch, last: last.offset });
  }

  /** Committed means: on the disks of a majority, in a log whose leader wrote past it in its own epoch. */
  #checkHighWatermark(node: SimNode, core: RaftCore): void {
    const { highWatermark } = core;
    if (highWatermark > core.logEndOffset)
      fail('a high watermark is beyond the log', { node: node.id, highWatermark, end: core.logEndOffset });
    if (highWatermark <= 0) return;
    const lastEpoch = core.epochAt(highWatermark - 1);
    if (core.role === 'leader' && lastEpoch !== core.epoch)
      fail('a leader commits by counting an earlier epoch', { node: node.id, highWatermark, lastEpoch });
    for (let offset = this.committed.length; offset < highWatermark; offset++) {
      const identity = this.#entries[offset]?.get(core.epochAt(offset));
      if (identity === undefined) fail('an unknown entry is committed', { node: node.id, offset });
      else this.committed.push(identity.entry);
    }
    const known = this.committed[highWatermark - 1];
    if (known?.epoch !== lastEpoch)
      fail('two entries are committed at one offset', { node: node.id, offset: highWatermark - 1 });
    this.#checkOnMajority(core.voters, highWatermark - 1);
  }

  #checkOnMajority(voters: readonly VoterKey[], offset: Offset): void {
    const entry = this.committed[offset];
    const holders = voters.filter((key) => {
      const node = this.#nodes.find(({ id }) => id === key.id);
      return node?.key.directoryId === key.directoryId && node.disk.durable[offset]?.epoch === entry?.epoch;
    });
    // A wiped disk held it and is gone; it is replaced by nobody, and the schedule wipes less than a majority.
    const wiped = voters.filter((key) => !this.#nodes.some((node) => sameDisk(node.key, key)));
    if (holders.length + wiped.length < new VoterSet(voters).majority)
      fail('a committed entry is not durable on a majority', {
        offset,
        holders: holders.map(({ id }) => id),
      });
  }

  /** A node writes: what it writes exists once in the world, and what it cuts was never committed. */
  handleAppend(node: SimNode, entries: readonly Entry[], truncateFrom: Offset | undefined): void {
    let previous: Entry | undefined;
    for (const entry of entries) {
      this.#identify(entry, previous?.epoch);
      previous = entry;
    }
    if (previous !== undefined && previous.epoch > node.disk.hardState.epoch)
      fail('an entry is written before its epoch is durable', { node: node.id, epoch: previous.epoch });
    if (truncateFrom === undefined || truncateFrom >= this.committed.length) return;
    const mine = node.disk.durable[truncateFrom];
    if (mine !== undefined && mine.epoch === this.committed[truncateFrom]?.epoch)
      fail('a committed entry is cut', { node: node.id, offset: truncateFrom });
  }

  #identify(entry: Entry, previousEpoch: QuorumEpoch | undefined): void {
    this.#entries[entry.offset] ??= new Map();
    const byEpoch = this.#entries[entry.offset];
    const known = byEpoch?.get(entry.epoch);
    if (known === undefined) {
      byEpoch?.set(entry.epoch, { entry, previousEpoch });
      return;
    }
    const { offset, epoch } = entry;
    if (known.entry !== entry && Buffer.compare(known.entry.payload, entry.payload) !== 0)
      fail('one offset and epoch name two entries', { offset, epoch });
    if (previousEpoch === undefined) return;
    if (known.previousEpoch !== undefined && known.previousEpoch !== previousEpoch)
      fail('logs with the same entry differ before it', { offset, epoch });
    known.previousEpoch = previousEpoch;
  }

  /** A message leaves: what it says of epoch and vote must be on disk already, and never be taken back. */
  handleRequest(node: SimNode, message: QuorumRequest): void {
    this.#checkSaid(node, saidEpoch(message));
    if (message.kind !== 'vote' || message.request.preVote) return;
    this.#checkVote(node, message.request.candidateEpoch, node.key);
  }

  handleAnswer(node: SimNode, message: QuorumRequest, answer: QuorumAnswer): void {
    if (answer.reply.error === 'BROKER_NOT_AVAILABLE') return;
    this.#checkSaid(node, answer.reply.leaderEpoch);
    if (answer.kind === 'fetch') for (const entry of answer.reply.entries) this.#identify(entry, undefined);
    if (message.kind !== 'vote' || answer.kind !== 'vote' || message.request.preVote) return;
    if (answer.reply.voteGranted)
      this.#checkVote(node, message.request.candidateEpoch, message.request.candidate);
  }

  #checkSaid(node: SimNode, epoch: QuorumEpoch): void {
    const stored = Math.max(node.disk.hardState.epoch, node.disk.durable.at(-1)?.epoch ?? 0);
    if (epoch > stored) fail('an epoch is told before it is durable', { node: node.id, epoch, stored });
    const name = voterName(node.key);
    const before = this.#highestSaid.get(name) ?? 0;
    if (epoch < before) fail('a node goes back in epochs', { name, epoch, before });
    this.#highestSaid.set(name, epoch);
  }

  #checkVote(node: SimNode, epoch: QuorumEpoch, candidate: VoterKey): void {
    const { hardState } = node.disk;
    const isDurable =
      hardState.epoch > epoch ||
      (hardState.epoch === epoch &&
        hardState.votedFor !== undefined &&
        sameDisk(hardState.votedFor, candidate));
    if (!isDurable) fail('a vote is told before it is durable', { node: node.id, epoch });
    const key = `${voterName(node.key)}@${epoch}`;
    const name = voterName(candidate);
    const before = this.#votes.get(key);
    if (before !== undefined && before !== name) fail('a node votes twice', { key, before, name });
    this.#votes.set(key, name);
  }

  /** A state machine is handed entries: each once, in order, and only what is committed. */
  handleDelivery(node: SimNode, nextOffset: Offset, entries: readonly Entry[]): void {
    let expected = nextOffset;
    for (const entry of entries) {
      if (entry.offset !== expected) fail('a delivery is out of order', { node: node.id, expected, entry });
      const core = node.process?.driver.core;
      if (core === undefined || entry.offset >= core.highWatermark)
        fail('an uncommitted entry is delivered', { node: node.id, offset: entry.offset });
      const known = this.#entries[entry.offset]?.get(entry.epoch);
      if (known === undefined || Buffer.compare(known.entry.payload, entry.payload) !== 0)
        fail('a delivered entry is not the one that was written', { node: node.id, offset: entry.offset });
      const committed = this.committed[entry.offset];
      if (committed !== undefined && committed.epoch !== entry.epoch)
        fail('state machines differ', { node: node.id, offset: entry.offset });
      expected++;
    }
  }

  /** A state machine is told that it leads: it must have everything below the epoch. */
  handleLeading(node: SimNode, nextOffset: Offset, epoch: QuorumEpoch): void {
    const core = node.process?.driver.core;
    const hasAll = core !== undefined && nextOffset > 0 && core.epochAt(nextOffset - 1) >= epoch;
    if (!hasAll) fail('a state machine leads before it has caught up', { node: node.id, nextOffset, epoch });
  }
}

function saidEpoch(message: QuorumRequest): QuorumEpoch {
  switch (message.kind) {
    case 'vote':
      return message.request.candidateEpoch;
    case 'fetch':
      return message.request.currentLeaderEpoch;
    default:
      return message.request.leaderEpoch;
  }
}

function sameDisk(a: VoterKey, b: VoterKey): boolean {
  return a.id === b.id && a.directoryId === b.directoryId;
}

export function fail(law: string, numbers: Readonly<Record<string, unknown>>): never {
  throw new Violation(`${law}: ${JSON.stringify(numbers)}`);
}

/** A node that ended itself by a broken promise of its own code is a finding, too. */
export function isBug(error: unknown): boolean {
  return error instanceof AssertionError || error instanceof TypeError || error instanceof Violation;
}
