/**
 * Of the replicas of partitions, by what they show and what is on their disks:
 *
 *   a leader epoch has one leader; its high watermark never falls while it lives; it has all that was committed, and still
 *   knows of all when its log has failed: followers are compared with what it knows
 *   nothing that was below a high watermark is ever cut
 *   at the moment a high watermark passes an offset, min.insync.replicas disks have everything below it, and so does the
 *   disk of each member of the in-sync set, as also after each change of that set
 *   below the high watermark that a replica knows its batches are those of all others
 *   a leader epoch and an offset name one batch, committed or not
 *   a log starts at or below its high watermark, which is at or below its end, and so is what is flushed; what a broker
 *   says is flushed is on its disk
 *   a leader holds nothing that was deleted; it begins its epoch where its log ends, knowing nothing of its followers
 *   a leader with too few replicas in sync takes nothing that asks for all of them
 *
 * With write caching no disk need have what is committed. There a leader may lack what it had not synced when its machine
 * lost power, and nothing else; what it lacks is committed no more.
 *
 * Source: Raft §5.2 and §5.3, KIP-101, KIP-279, KIP-966.
 */
import { NONE, type NodeId, type Offset, type PartitionEpoch, type Uuid } from '../../../../base/index.ts';
import type { ReplicaView } from '../../../../broker/index.ts';
import { LawBroken } from '../law-broken.ts';
import { BatchNames } from './batch-names.ts';
import { CommittedBatches } from './committed-batches.ts';
import { type DurableFiles, DurableLog } from './durable-log.ts';
import { LostTails } from './lost-tails.ts';

/** What is looked at. */
export interface ReplicaSight {
  readonly log: Pick<
    ReplicaView['log'],
    | 'directory'
    | 'epochAt'
    | 'failure'
    | 'logStartOffset'
    | 'logEndOffset'
    | 'highWatermark'
    | 'flushedOffset'
  >;
  readonly state: Pick<
    ReplicaView['state'],
    | 'nodeId'
    | 'isLeader'
    | 'leaderEpoch'
    | 'partitionEpoch'
    | 'isr'
    | 'replicas'
    | 'effectiveMinIsr'
    | 'policy'
  > & { readonly followers: ReadonlyMap<NodeId, { readonly flushedOffset: Offset }> };
}

/** What was seen of one partition, over all its replicas and their lives. */
export class PartitionWatch {
  readonly topicId: Uuid;
  readonly name: string;
  readonly isCompacted: boolean;
  readonly leaders = new Map<number, NodeId>();
  latestEpoch = NONE;
  /** The largest high watermark that a leader had. */
  committed: Offset = 0;
  /** Somebody was told that the records below it are deleted. */
  deleted: Offset = 0;
  /** Where the log of a leader began at most. */
  logStart: Offset = 0;
  /** By high watermark that some replica had: the leader epoch of the last record below it. */
  readonly epochs = new Map<Offset, number>();
  readonly batches = new CommittedBatches();
  readonly names = new BatchNames();
  readonly disks = new Map<NodeId, DurableLog>();
  /** With write caching. */
  readonly lostTails = new LostTails();

  /** `isCompacted`: batches come and go, and no two disks need have the same. */
  constructor(topicId: Uuid, name: string, isCompacted = false) {
    this.topicId = topicId;
    this.name = name;
    this.isCompacted = isCompacted;
  }
}

/** One replica from the start of its broker, or its making, to its end. */
export class ReplicaLife {
  readonly watch: PartitionWatch;
  readonly directory: string;
  leaderEpoch: number = NONE;
  highWatermark: Offset;
  flushed: Offset = 0;
  end: Offset;
  isr: ReplicaSight['state']['isr'] | undefined;
  /** Never seen before. */
  isFresh = true;

  constructor(watch: PartitionWatch, { log, state }: ReplicaSight) {
    this.watch = watch;
    this.directory = log.directory;
    this.highWatermark = log.highWatermark;
    this.end = log.logEndOffset;
    if (state.policy.writeCaching) watch.lostTails.live(state.nodeId, this);
  }
}

export interface PartitionLawsOptions {
  readonly disk: (id: NodeId) => DurableFiles;
  readonly count: (what: string, by?: number) => void;
  /**
   * A leader that counts on what `id` has may be wrong: bits turned there, it has left the in-sync set after the partition
   * epoch that the leader knows, and made its log anew, or the topic is deleted.
   */
  readonly isOldNews: (id: NodeId, partition: PartitionWatch, known: PartitionEpoch) => boolean;
  /** Every producer so far asked for all replicas. */
  readonly allAcks: () => boolean;
}

export class PartitionLaws {
  readonly #options: PartitionLawsOptions;

  constructor(options: PartitionLawsOptions) {
    this.#options = options;
  }

  see(life: ReplicaLife, replica: ReplicaSight): void {
    const { log, state } = replica;
    if (log.failure !== undefined) {
      this.#checkFailed(life, replica);
      return;
    }
    const { logStartOffset, logEndOffset, highWatermark, flushedOffset } = log;
    if (logStartOffset > highWatermark || highWatermark > logEndOffset || flushedOffset > logEndOffset)
      throw new LawBroken('the offsets of a log are in order', {
        ...factsOf(life.watch, state),
        ...{ logStartOffset, highWatermark, flushedOffset, logEndOffset },
      });
    if (logEndOffset < life.end) this.#checkCut(life, replica);
    if (highWatermark !== life.highWatermark) this.#checkEpoch(life, replica);
    if (state.isLeader) this.#seeLeader(life, replica);
    else life.leaderEpoch = NONE;
    life.end = logEndOffset;
    life.isFresh = false;
    if (flushedOffset !== life.flushed || highWatermark !== life.highWatermark) this.#compare(life, replica);
    life.flushed = flushedOffset;
    life.highWatermark = highWatermark;
  }

  /** One that could not be opened knows nothing: whoever follows it would cut his log to nothing. */
  #checkFailed({ watch }: ReplicaLife, { log, state }: ReplicaSight): void {
    const { isLeader, leaderEpoch, policy } = state;
    if (!isLeader || leaderEpoch < watch.latestEpoch || policy.writeCaching) return;
    if (log.logEndOffset >= watch.committed) return;
    const facts = { ...factsOf(watch, state), end: log.logEndOffset, committed: watch.committed };
    throw new LawBroken('a leader whose log has failed knows of all that was committed', facts);
  }

  /** What the disk of `id` has of the partition now. */
  diskOf(watch: PartitionWatch, replica: ReplicaSight, id: NodeId): DurableLog {
    const disk = this.#disk(watch, replica, id);
    disk.advance();
    return disk;
  }

  #checkCut({ watch, end: from }: ReplicaLife, { log, state }: ReplicaSight): void {
    this.#options.count('truncations');
    watch.disks.get(state.nodeId)?.rewind();
    const { logEndOffset: to, logStartOffset } = log;
    // Emptied to go on elsewhere: by then it is no member of anything.
    if (to >= watch.committed || !state.isr.isr.includes(state.nodeId) || logStartOffset > 0) return;
    const { name: partition, committed } = watch;
    // With a disk that hangs it hears late of it.
    if (this.#options.isOldNews(state.nodeId, watch, state.partitionEpoch)) return;
    throw new LawBroken('what was committed is not cut', {
      partition,
      broker: state.nodeId,
      from,
      to,
      committed,
    });
  }

  /** An epoch and an offset name one record, and all before it; also where it is in memory only. */
  #checkEpoch({ watch }: ReplicaLife, { log, state }: ReplicaSight): void {
    const { highWatermark, logStartOffset } = log;
    watch.lostTails.fill(state.nodeId, highWatermark);
    if (highWatermark <= logStartOffset || !speaksOf(watch, state)) return;
    // Nobody reads there any more: a follower that has other records there is not told to cut them.
    if (state.policy.writeCaching && highWatermark <= watch.logStart) return;
    const epoch = log.epochAt(highWatermark - 1);
    const known = watch.epochs.get(highWatermark);
    if (known === undefined) watch.epochs.set(highWatermark, epoch);
    else if (known !== epoch) {
      const facts = { ...factsOf(watch, state), highWatermark, epoch, known };
      throw new LawBroken('replicas agree below the high watermark', facts);
    }
  }

  #seeLeader(life: ReplicaLife, replica: ReplicaSight): void {
    const { log, state } = replica;
    const { watch } = life;
    if (life.leaderEpoch !== state.leaderEpoch) this.#checkElected(life, replica);
    else if (log.highWatermark < life.highWatermark)
      throw new LawBroken('a high watermark does not fall', {
        ...factsOf(watch, state),
        from: life.highWatermark,
        to: log.highWatermark,
      });
    this.#countMembers(life, state);
    if (log.logEndOffset > life.end) this.#checkTaken(life, replica);
    const isRaised = log.highWatermark > watch.committed && speaksOf(watch, state);
    const isLatest = state.leaderEpoch === watch.latestEpoch;
    if (isLatest) watch.logStart = Math.max(watch.logStart, log.logStartOffset);
    const isMoved = life.isr !== state.isr || log.highWatermark !== life.highWatermark;
    if (isRaised) this.#commit(watch, replica);
    if (isRaised || (isLatest && isMoved)) this.#checkMembers(watch, replica);
    if (isLatest && log.logStartOffset < watch.deleted && !state.policy.writeCaching)
      throw new LawBroken('what was deleted stays deleted', {
        ...factsOf(watch, state),
        logStartOffset: log.logStartOffset,
        deleted: watch.deleted,
      });
    life.isr = state.isr;
    life.leaderEpoch = state.leaderEpoch;
  }

  /** In the present and in the last set there are too few. */
  #checkTaken({ watch, isr, leaderEpoch }: ReplicaLife, { log, state }: ReplicaSight): void {
    const { isr: now, effectiveMinIsr: minIsr } = state;
    if (!this.#options.allAcks() || leaderEpoch !== state.leaderEpoch || isr === undefined) return;
    if (isr.isr.length >= minIsr || now.isr.length >= minIsr) return;
    const facts = { ...factsOf(watch, state), isr: now.isr, minIsr, end: log.logEndOffset };
    throw new LawBroken('a leader takes nothing for all when too few are in sync', facts);
  }

  #checkElected({ watch, isFresh }: ReplicaLife, { log, state }: ReplicaSight): void {
    const { leaderEpoch, nodeId } = state;
    for (const [id, { flushedOffset }] of isFresh ? [] : state.followers)
      if (flushedOffset !== NONE)
        throw new LawBroken('a leader begins its epoch knowing nothing of its followers', {
          ...factsOf(watch, state),
          id,
          flushedOffset,
        });
    const known = watch.leaders.get(leaderEpoch);
    if (known !== undefined && known !== nodeId)
      throw new LawBroken('a leader epoch has one leader', { ...factsOf(watch, state), other: known });
    if (known === undefined) this.#options.count('elections of leaders');
    const begun = log.epochAt(log.logEndOffset);
    if (begun !== leaderEpoch)
      throw new LawBroken('a leader begins its epoch where its log ends', {
        ...factsOf(watch, state),
        begun,
      });
    watch.leaders.set(leaderEpoch, nodeId);
    watch.latestEpoch = Math.max(watch.latestEpoch, leaderEpoch);
    if (watch.latestEpoch !== leaderEpoch || log.logEndOffset >= watch.committed) return;
    if (!watch.lostTails.explain(nodeId, log.logEndOffset))
      throw new LawBroken('a leader has all that was committed', {
        ...factsOf(watch, state),
        end: log.logEndOffset,
        committed: watch.committed,
      });
    this.#options.count('records lost unsynced', watch.committed - log.logEndOffset);
    watch.committed = log.logEndOffset;
    for (const highWatermark of watch.epochs.keys())
      if (highWatermark > watch.committed) watch.epochs.delete(highWatermark);
  }

  #countMembers(life: ReplicaLife, { isr, leaderEpoch }: ReplicaSight['state']): void {
    if (life.leaderEpoch !== leaderEpoch || life.isr === undefined || life.isr === isr) return;
    if (isr.isr.length < life.isr.isr.length) this.#options.count('in-sync sets shrunk');
    if (isr.isr.length > life.isr.isr.length) this.#options.count('in-sync sets grown');
  }

  /** The high watermark has passed what no other had. */
  #commit(watch: PartitionWatch, replica: ReplicaSight): void {
    const { log, state } = replica;
    watch.committed = log.highWatermark;
    if (state.policy.writeCaching || watch.isCompacted) return;
    const own = this.#disk(watch, replica, state.nodeId);
    own.advance();
    watch.batches.learn(own, watch.committed);
    const holders = state.replicas.filter((id) => this.#holds(watch, replica, id));
    if (holders.length < state.effectiveMinIsr)
      throw new LawBroken('what is committed is durable on min.insync.replicas', {
        ...factsOf(watch, state),
        committed: watch.committed,
        holders,
        minIsr: state.effectiveMinIsr,
      });
  }

  #checkMembers(watch: PartitionWatch, replica: ReplicaSight): void {
    const { state } = replica;
    if (state.policy.writeCaching || watch.isCompacted) return;
    for (const id of state.isr.isr) {
      if (this.#holds(watch, replica, id)) continue;
      throw new LawBroken('an in-sync replica has all that was committed', {
        ...factsOf(watch, state),
        isr: state.isr.isr,
        member: id,
        end: watch.disks.get(id)?.end,
        committed: watch.committed,
      });
    }
  }

  /** The disk of `id` has all batches that were committed, and they are what they were. */
  #holds(watch: PartitionWatch, replica: ReplicaSight, id: NodeId): boolean {
    // It had: a leader of old news counts on it until it hears.
    if (this.#options.isOldNews(id, watch, replica.state.partitionEpoch)) return true;
    const disk = this.#disk(watch, replica, id);
    disk.advance();
    watch.batches.check(disk, watch.committed);
    return disk.checked >= watch.committed;
  }

  /** What this replica vouches for, as far as it knows it to be committed. */
  #compare({ watch }: ReplicaLife, replica: ReplicaSight): void {
    const { log, state } = replica;
    if (state.policy.writeCaching || watch.isCompacted) return;
    const disk = this.#disk(watch, replica, state.nodeId);
    disk.advance();
    if (disk.end < log.flushedOffset)
      throw new LawBroken('what is flushed is on the disk', {
        ...factsOf(watch, state),
        flushed: log.flushedOffset,
        end: disk.end,
      });
    const to = Math.min(log.highWatermark, log.flushedOffset, watch.committed);
    const problem = watch.batches.check(disk, to);
    if (problem === undefined) return;
    throw new LawBroken('replicas agree below the high watermark', { ...factsOf(watch, state), ...problem });
  }

  #disk(watch: PartitionWatch, { log }: ReplicaSight, id: NodeId): DurableLog {
    let disk = watch.disks.get(id);
    if (disk === undefined) {
      disk = new DurableLog(this.#options.disk(id), log.directory, watch.names);
      watch.disks.set(id, disk);
    }
    return disk;
  }
}

/** Where records may be lost, a leader of before may not know yet which are. */
function speaksOf({ latestEpoch }: PartitionWatch, { policy, leaderEpoch }: ReplicaSight['state']): boolean {
  return !policy.writeCaching || leaderEpoch === latestEpoch;
}

function factsOf(
  { name: partition }: PartitionWatch,
  { leaderEpoch, nodeId: broker }: ReplicaSight['state'],
): Readonly<Record<string, unknown>> {
  return { partition, leaderEpoch, broker };
}
