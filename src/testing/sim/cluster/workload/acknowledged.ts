/**
 * What an acknowledgement says of itself. With acks=all: its records are below the high watermark of a leader, written in the
 * leader epoch it names, and as many replicas have them as min.insync.replicas asks for. With any acks: they are on disks when
 * it says so. Nobody waits until a fault shows that it was a lie.
 */
import type { Acknowledgement } from '../../../../client/index.ts';
import { LawBroken } from '../law-broken.ts';
import { isWriteCaching } from '../options.ts';
import type { SimWorld } from '../world.ts';

/** Fails the run when it is not so. */
export function judgeAcknowledged(
  world: Pick<SimWorld, 'committedEnd' | 'committedEpoch' | 'options' | 'fail'>,
  placed: readonly Acknowledgement[],
): void {
  for (const acknowledgement of placed) {
    const { topic, partition, offset, count, replicas, leaderEpoch } = acknowledgement;
    const committed = world.committedEnd(topic, partition);
    const plan = world.options.topics.find(({ name }) => name === topic);
    const minIsr = Number(plan?.configs['min.insync.replicas'] ?? 1);
    // With write caching it may be lost before the answer is here.
    if (committed < offset + count && !isWriteCaching(plan?.configs ?? {}))
      world.fail(
        new LawBroken('what is acknowledged by all is committed', { ...acknowledgement, committed }),
      );
    const epoch = offset < 0 ? undefined : world.committedEpoch(topic, partition, offset);
    if (epoch !== undefined && epoch !== leaderEpoch)
      world.fail(new LawBroken('what is acknowledged lies where it says', { ...acknowledgement, epoch }));
    // Of a batch that the broker knew already it says the same.
    if (replicas.length < Math.min(minIsr, plan?.replicationFactor ?? 1))
      world.fail(new LawBroken('min.insync.replicas acknowledge', { ...acknowledgement, minIsr }));
  }
}

/** Fails the run when a leader says that records are synced, still leads, and has not synced them. */
export function judgeSynced(
  world: Pick<SimWorld, 'findLeading' | 'fail'>,
  placed: readonly Acknowledgement[],
): void {
  for (const acknowledgement of placed) {
    const { topic, partition, offset, count, leaderEpoch, replicas, synced } = acknowledgement;
    const leading = synced ? world.findLeading(topic, partition) : undefined;
    if (leading === undefined || leading.state.leaderEpoch !== leaderEpoch) continue;
    const { flushedOffset } = leading.log;
    if (replicas.includes(leading.state.nodeId) && flushedOffset < offset + count)
      world.fail(
        new LawBroken('what is acknowledged as synced is on a disk', { ...acknowledgement, flushedOffset }),
      );
  }
}
