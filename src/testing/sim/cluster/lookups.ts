/**
 * Who asks a healthy cluster for the first record since the beginning of time is told the first one; for the newest, one that is
 * there. Nobody is ever told of a record that is not committed. Source: KIP-79, KIP-734.
 */
import type { WallMs } from '../../../base/index.ts';
import type { Client, PartitionOffset } from '../../../client/index.ts';
import { expectDone } from './expect.ts';
import { LawBroken } from './law-broken.ts';
import { isWriteCaching } from './options.ts';
import { patienceMs } from './patience.ts';
import type { SimWorld } from './world.ts';

const ANSWERED_MS = 10_000;

/** Each partition has a record. */
export async function expectLookups(world: SimWorld): Promise<void> {
  const client = world.client('finder');
  const limitMs = ANSWERED_MS + patienceMs(world);
  for (const { name: topic } of world.options.topics) {
    const look = async (): Promise<void> => judge(world, topic, await ask(client, topic, limitMs));
    await expectDone(world, 'records are found by their time', limitMs, look());
  }
  await client.close({ timeoutMs: 0 });
}

/** Of what was found by its time: fails the run when it is not committed. */
export function judgeFound(
  world: Pick<SimWorld, 'committedEnd' | 'fail' | 'options'>,
  topic: string,
  found: readonly PartitionOffset[],
): void {
  const plan = world.options.topics.find(({ name }) => name === topic);
  // It may be lost before the answer is here.
  if (isWriteCaching(plan?.configs ?? {})) return;
  for (const { partition, offset } of found) {
    const committed = world.committedEnd(topic, partition);
    if (offset < committed) continue;
    const facts = { topic, partition, offset, committed };
    world.fail(new LawBroken('nobody is told of what is not committed', facts));
  }
}

/** Asks for what is as new as `sinceMs`, and for the newest. The answers may come late, or not at all. */
export function lookUpSince(
  world: SimWorld,
  client: Client,
  topics: readonly string[],
  sinceMs: WallMs,
): void {
  const timeoutMs = ANSWERED_MS;
  for (const topic of topics)
    for (const time of [{ timestampMs: sinceMs }, 'max-timestamp'] as const)
      client.admin.listOffsets(topic, time, { timeoutMs }).then(
        (found) => judgeFound(world, topic, found),
        (error: unknown) => world.note(`what is new in ${topic}: ${String(error)}`),
      );
}

interface Found {
  readonly first: readonly PartitionOffset[];
  readonly newest: readonly PartitionOffset[];
}

async function ask({ admin }: Client, topic: string, timeoutMs: number): Promise<Found> {
  const [first, newest] = await Promise.all([
    admin.listOffsets(topic, { timestampMs: 0 }, { timeoutMs }),
    admin.listOffsets(topic, 'max-timestamp', { timeoutMs }),
  ]);
  return { first, newest };
}

function judge(world: SimWorld, topic: string, { first, newest }: Found): void {
  for (const { partition, offset } of first) {
    const start = world.findLeading(topic, partition)?.log.logStartOffset;
    if (offset !== start)
      throw new LawBroken('the first record is found', { topic, partition, offset, start });
  }
  for (const { partition, offset } of newest) {
    const log = world.findLeading(topic, partition)?.log;
    if (log === undefined || offset < log.logStartOffset || offset >= log.highWatermark)
      throw new LawBroken('the newest record is found', {
        topic,
        partition,
        offset,
        end: log?.highWatermark,
      });
  }
}
