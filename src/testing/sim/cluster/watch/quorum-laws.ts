/**
 * Of the members of the quorum, by what they show and what is on their disks:
 *
 *   an epoch has one leader
 *   a disk votes once in an epoch, whatever process runs on it; its epoch never falls
 *   in one life neither the epoch nor the high watermark falls
 *
 * Source: Raft §5.2, §5.4; KIP-595.
 */
import type { NodeId, Offset, QuorumEpoch, Uuid } from '../../../../base/index.ts';
import { LawBroken } from '../law-broken.ts';

/** What a running node shows. */
export interface QuorumSight {
  readonly nodeId: NodeId;
  readonly epoch: QuorumEpoch;
  readonly highWatermark: Offset;
}

/** What its disk would say after a power failure. */
export interface DurableVote {
  readonly epoch: QuorumEpoch;
  readonly votedFor?: { readonly id: NodeId; readonly directoryId: Uuid };
}

/** One process on one disk. */
export class QuorumLife {
  epoch: QuorumEpoch = 0;
  highWatermark: Offset = -1;
}

export class QuorumLaws {
  readonly #leaders = new Map<QuorumEpoch, NodeId>();
  /** By directory id: the last that was seen. */
  readonly #votes = new Map<Uuid, DurableVote>();

  /** `id` acts as leader of `epoch`; true when it is the first to be seen there. */
  lead(epoch: QuorumEpoch, id: NodeId): boolean {
    const known = this.#leaders.get(epoch);
    if (known === undefined) this.#leaders.set(epoch, id);
    else if (known !== id)
      throw new LawBroken('a quorum epoch has one leader', { epoch, leaders: [known, id] });
    return known === undefined;
  }

  see(life: QuorumLife, { nodeId, epoch, highWatermark }: QuorumSight): void {
    if (epoch < life.epoch)
      throw new LawBroken('a quorum epoch does not fall', { nodeId, from: life.epoch, to: epoch });
    if (highWatermark < life.highWatermark)
      throw new LawBroken('the high watermark of the quorum does not fall', {
        nodeId,
        from: life.highWatermark,
        to: highWatermark,
      });
    life.epoch = epoch;
    life.highWatermark = highWatermark;
  }

  /** The disk of `directoryId` says so. */
  saved(directoryId: Uuid, now: DurableVote): void {
    const before = this.#votes.get(directoryId);
    this.#votes.set(directoryId, now);
    if (before === undefined) return;
    const facts = { directoryId, before, now };
    if (now.epoch < before.epoch) throw new LawBroken('the epoch on a disk does not fall', facts);
    if (now.epoch > before.epoch || before.votedFor === undefined) return;
    const { votedFor } = now;
    if (votedFor?.id !== before.votedFor.id || votedFor.directoryId !== before.votedFor.directoryId)
      throw new LawBroken('a disk votes once in an epoch', facts);
  }
}
