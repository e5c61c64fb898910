/**
 * A leader of a healthy cluster has taken a record that not all who are in sync can have, and stops in order. It tells whoever waits
 * for them that it does not know: the record is written, and another leader may have it. Who is told that it certainly is not
 * sends it once more, and has it twice.
 */
import { ERRORS, type Offset, SeededRandom, type TopicPartition } from '../../../base/index.ts';
import type { CallContext, ProducePartitionReply, ProduceRequest } from '../../../rpc/api/index.ts';
import { encodeValue } from '../../checkers/index.ts';
import type { Expect } from './expect.ts';
import { oneOf } from './faults/index.ts';
import { followingsOf, replicasOn } from './followings.ts';
import { LawBroken } from './law-broken.ts';
import { cutBothWays } from './links.ts';
import type { Machine } from './machine.ts';
import { patienceMs } from './patience.ts';
import { quickMs } from './quickness.ts';
import { isWhole } from './recovery.ts';
import type { SimWorld } from './world.ts';

/** A follower that cannot have it would not be in sync by then, at the earliest. */
const WAITS_MS = 60_000;
const STOPPED_MS = 60_000;
const BACK_MS = 60_000;
const CALL: CallContext = { peer: 'observer', signal: new AbortController().signal };

/** Nothing when nobody follows, or the options do not say so. */
export async function expectDoubt(world: SimWorld, expect: Expect, areEqual: () => boolean): Promise<void> {
  const random = new SeededRandom(world.options.seed, 'doubting');
  const following = world.options.lagging === true ? oneOf(followingsOf(world), random) : undefined;
  if (following === undefined) return;
  const { place, leader, follower } = following;
  const slowMs = patienceMs(world);
  cutBothWays(world, leader, follower);
  const end = endOn(leader, place);
  const asked = new Asked(world, leader, place);
  await expect(
    'a leader takes what a follower cannot have',
    quickMs(world),
    () => endOn(leader, place) > end,
  );
  world.trace.count('leaders stopped while somebody waits');
  void leader.stop();
  await expect('a leader stops in order', STOPPED_MS + slowMs, () => !leader.isUp);
  asked.judge();
  world.network.heal();
  leader.start();
  await expect('who stopped is in sync again', BACK_MS + slowMs, () => isWhole(world) && areEqual());
}

function endOn(machine: Machine, place: TopicPartition): Offset {
  return replicasOn([machine], place)[0]?.log.logEndOffset ?? 0;
}

/** One record for all that are in sync, asked of the leader itself: a client would not pass its word on, but try again. */
class Asked {
  #reply: ProducePartitionReply | undefined;

  constructor(world: SimWorld, { node }: Machine, { topic, partition }: TopicPartition) {
    const request: ProduceRequest = {
      correlationId: 1,
      clientId: 'observer',
      acks: -1,
      timeoutMs: WAITS_MS,
      partitions: [],
      plain: [{ topic, partition, records: [{ value: encodeValue('doubted', 10), headers: [] }] }],
      forwarded: true,
    };
    node?.broker?.broker.produce(request, CALL).then(
      ({ partitions: [reply] }) => {
        this.#reply = reply;
      },
      (error: unknown) => world.fail(error),
    );
  }

  /** It is written: throws when somebody was told that it is not. */
  judge(): void {
    const { error = 'NONE', errorMessage } = this.#reply ?? {};
    if (error !== 'NONE' && ERRORS[error].definite)
      throw new LawBroken('what is written is not refused for certain', { error, errorMessage });
  }
}
