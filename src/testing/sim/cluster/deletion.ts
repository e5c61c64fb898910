/**
 * Old records of a healthy cluster can be deleted: nothing, and all that is committed, but no more. Every replica hears of it,
 * and then nobody has them.
 */
import type { Offset, TopicPartition } from '../../../base/index.ts';
import type { Client, RecordsDeleted } from '../../../client/index.ts';
import type { Expect } from './expect.ts';
import { partitionsOf, replicasOn } from './followings.ts';
import { LawBroken } from './law-broken.ts';
import { patienceMs } from './patience.ts';
import { quickMs } from './quickness.ts';
import type { SimWorld } from './world.ts';

const ANSWERED_MS = 10_000;
/** By default. */
const TIMEOUT_MS = 30_000;

/** The last that is done to a cluster: it has no records afterwards. */
export async function expectDeletion(world: SimWorld, expect: Expect): Promise<void> {
  const client = world.client('deleter');
  const slowMs = patienceMs(world);
  const ends = partitionsOf(world).map(({ topic, partition }) => ({
    topic,
    partition,
    end: endOf(world, topic, partition),
  }));
  const tell = async (what: string, before: (end: Offset) => Offset, wanted: string): Promise<void> => {
    const records = ends.map(({ topic, partition, end }) => ({ topic, partition, before: before(end) }));
    const outcomes = await deleteBefore(world, client, expect, records);
    const other = outcomes.find(({ error }) => error !== wanted);
    if (other !== undefined) throw new LawBroken(what, { ...other, wanted });
  };
  await tell('to delete nothing is right', () => 0, 'NONE');
  await tell('what is not committed is not deleted', (end) => end + 1, 'OFFSET_OUT_OF_RANGE');
  await tell('all that is committed can be deleted', (end) => end, 'NONE');
  await expect('every replica hears at once what is deleted', 2 * quickMs(world) + slowMs, () =>
    ends.every((one) => startsOf(world, one).every((start) => start === one.end)),
  );
  await client.close({ timeoutMs: 0 });
}

/** Asks for it once; gives what was answered. */
export async function deleteBefore(
  world: SimWorld,
  client: Client,
  expect: Expect,
  records: readonly Deleted[],
): Promise<readonly RecordsDeleted[]> {
  const limitMs = ANSWERED_MS + patienceMs(world);
  const deletion = new Deletion(world, client, records, Math.max(TIMEOUT_MS, limitMs));
  await expect('a deletion is answered', limitMs, () => deletion.outcomes.length === records.length);
  return deletion.outcomes;
}

type Deleted = TopicPartition & { readonly before: Offset };

/** One that was asked for. Who is told that it is done finds it done by every replica that lives: or the run has failed. */
export class Deletion {
  /** One for each partition, in order; empty until they are known. */
  outcomes: readonly RecordsDeleted[] = [];

  constructor(world: SimWorld, client: Client, records: readonly Deleted[], timeoutMs: number) {
    client.admin.deleteRecords([...records], { timeoutMs }).then(
      (outcomes) => {
        this.outcomes = outcomes;
        for (const [index, one] of records.entries()) {
          const starts = outcomes[index]?.error === 'NONE' ? startsOf(world, one) : [];
          if (starts.some((start) => start < one.before))
            world.fail(new LawBroken('what is told to be deleted is deleted everywhere', { ...one, starts }));
        }
      },
      (error: unknown) => world.fail(error),
    );
  }
}

/** Of what is committed. */
export function endOf(world: SimWorld, topic: string, partition: number): Offset {
  return world.findLeading(topic, partition)?.log.highWatermark ?? 0;
}

/** Of the logs of all replicas. */
function startsOf({ brokers }: SimWorld, place: TopicPartition): Offset[] {
  return replicasOn(brokers, place).map(({ log }) => log.logStartOffset);
}
