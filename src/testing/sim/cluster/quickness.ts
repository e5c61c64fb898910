/**
 * A healthy cluster that nobody troubles is quick: what is sent to it is acknowledged, and read by who waits for it, after
 * some messages and some work of the disks. Whoever forgets to wake somebody is found out, for timers that would repair it
 * later are slower than that. So is who keeps asking instead of waiting, and who does not know a batch again that is sent a
 * second time, for its acknowledgement was lost.
 */
import type { TopicPartition } from '../../../base/index.ts';
import type { Client } from '../../../client/index.ts';
import { encodeValue } from '../../checkers/index.ts';
import type { Expect } from './expect.ts';
import { LawBroken } from './law-broken.ts';
import type { SimWorld } from './world.ts';

const KNOWN_MS = 10_000;
/** By then a reader that found nothing waits at the leaders. */
const PARKED_MS = 1_000;
const IDLE_MS = 500;
/** Of a node that idles: heartbeats, fetches of the quorum, a checkpoint, a no-op. Three times what was seen. */
const NODE_EVENTS_MAX = 60;
/** Of one fetch of a follower, there and back. */
const FETCH_EVENTS_MAX = 10;
/** By default. */
const FETCH_WAIT_MS = 500;
const READER_WAIT_MS = 20_000;
const QUICK_MS = 250;
/** A client connects anew, asks who leads, and tries again. */
const REPEATED_MS = 5_000;
/** Batches of one producer and partition that are on the way together. */
const BATCHES = 3;
const BATCH_PAUSE_MS = 1;
/** More than one of these batches, and less than two. */
const PATIENT_BYTES = 150;
/** How much slower the disks are while something is to come from one. */
const SLOW = 20;
/** One operation of such a disk may take so many times its mean. */
const OPERATION = 15;
/** So many in a row, and each may take several times the mean. */
const MESSAGES = 20;
const DISK_OPERATIONS = 40;

/** What `quick` may take: far less than the longest waits of brokers and clients. */
export function quickMs({ options }: SimWorld): number {
  const { delayMinMs, delayMeanMs, diskMeanMs } = options;
  return Math.round(QUICK_MS + MESSAGES * (delayMinMs + delayMeanMs) + DISK_OPERATIONS * diskMeanMs);
}

/** Sends to each partition twice: once to get to know the leaders, then against the clock. */
export async function expectQuickness(
  world: SimWorld,
  expect: Expect,
  areEqual: () => boolean,
): Promise<void> {
  const client = world.client('quick');
  const sender = new Sender(world, client);
  sender.send('known');
  await expect('every partition acknowledges a record', KNOWN_MS, () => sender.isAcknowledged);
  const reader = new Reader(world, client, partitionsOf(world), 1);
  await world.run(() => false, PARKED_MS);
  await judgeIdleness(world);
  sender.send('quick');
  const limitMs = quickMs(world);
  await expect('a healthy partition acknowledges at once', limitMs, () => sender.isAcknowledged);
  await expect('a reader that waits is woken', limitMs, () => reader.read >= sender.count);
  await expect('every replica hears at once what is committed', limitMs, areEqual);
  await expectRepetition(world, expect, sender);
  await expectPatience(world, expect, sender);
  await client.close({ timeoutMs: 0 });
}

/** Nobody asks again and again for what is not there yet: waiting is done by timers. Throws LawBroken. */
async function judgeIdleness(world: SimWorld): Promise<void> {
  // A scrub or a cleaning every few seconds is no silence.
  const { settings, compacted } = world.options;
  if (settings['log.scrub.interval.ms'] !== undefined || compacted !== undefined) return;
  const { scheduler, machines, brokers } = world;
  const waitMs = Number(world.options.settings['replica.fetch.wait.max.ms'] ?? FETCH_WAIT_MS);
  const fetches = brokers.length * (brokers.length - 1) * (1 + IDLE_MS / waitMs);
  const eventsMax = machines.length * NODE_EVENTS_MAX + fetches * FETCH_EVENTS_MAX;
  const before = scheduler.executed;
  await world.run(() => false, IDLE_MS);
  const events = scheduler.executed - before;
  if (events > eventsMax) throw new LawBroken('a quiet cluster is quiet', { events, eventsMax });
}

/**
 * Several batches are committed, and before anybody is told the connections break. A reader that waits for more than one of them is
 * woken by the second, though the first may just be read from a disk for it.
 */
async function expectRepetition(world: SimWorld, expect: Expect, sender: Sender): Promise<void> {
  const client = world.client('patient');
  const readers = sender.firstOfEach.map((one) => new Reader(world, client, [one], PATIENT_BYTES));
  await world.run(() => false, PARKED_MS);
  const ends = sender.firstOfEach.map(({ topic, partition }) => world.committedEnd(topic, partition));
  for (let batch = 0; batch < BATCHES; batch++) {
    sender.send(`again.${batch}`, sender.firstOfEach);
    await world.run(() => false, BATCH_PAUSE_MS);
  }
  await expect('a healthy partition commits at once', quickMs(world), () =>
    sender.firstOfEach.every(
      ({ topic, partition }, index) => world.committedEnd(topic, partition) >= (ends[index] ?? 0) + BATCHES,
    ),
  );
  for (const { name } of world.brokers) world.network.break('quick', name);
  const law = 'a reader that waits for some bytes is woken by them';
  await expect(law, quickMs(world), () => readers.every(({ read }) => read > 1));
  await expect('a batch that is repeated is acknowledged', REPEATED_MS, () => sender.isAcknowledged);
  await client.close({ timeoutMs: 0 });
}

/** A reader that waits for more than one batch is woken by the second, even while the first comes from a slow disk. */
async function expectPatience(world: SimWorld, expect: Expect, sender: Sender): Promise<void> {
  const chosen = sender.firstOfEach.slice(0, 1);
  const client = world.client('waiting');
  const reader = new Reader(world, client, chosen, PATIENT_BYTES);
  await world.run(() => false, PARKED_MS);
  const ends = chosen.map(({ topic, partition }) => world.committedEnd(topic, partition));
  for (const { name } of world.brokers) world.diskSpeeds.set(name, SLOW);
  sender.send('first', chosen);
  await expect('a partition on slow disks commits', SLOW * quickMs(world), () =>
    chosen.every(({ topic, partition }, index) => world.committedEnd(topic, partition) > (ends[index] ?? 0)),
  );
  world.diskSpeeds.clear();
  sender.send('second', chosen);
  const readMs = OPERATION * SLOW * world.options.diskMeanMs;
  const law = 'a reader that waits for more is woken by it';
  await expect(law, quickMs(world) + readMs, () => reader.read > 0);
  await expect('every batch is acknowledged', quickMs(world), () => sender.isAcknowledged);
  await client.close({ timeoutMs: 0 });
}

const partitionsOf = ({ options }: SimWorld): TopicPartition[] =>
  options.topics.flatMap(({ name: topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  );

class Sender {
  readonly count: number;
  readonly #world: SimWorld;
  readonly #producer;
  #open = 0;

  constructor(world: SimWorld, client: Client) {
    this.#world = world;
    this.count = partitionsOf(world).length;
    this.#producer = client.producer({ deliveryTimeoutMs: KNOWN_MS, requestTimeoutMs: KNOWN_MS });
  }

  get isAcknowledged(): boolean {
    return this.#open === 0;
  }

  /** A partition of each topic. */
  get firstOfEach(): readonly TopicPartition[] {
    return partitionsOf(this.#world).filter(({ partition }) => partition === 0);
  }

  send(what: string, partitions: readonly TopicPartition[] = partitionsOf(this.#world)): void {
    for (const [index, { topic, partition }] of partitions.entries()) {
      const id = `${what}.${index}`;
      const operation = { f: 'send', topic, partition, values: [id], producer: 'quick' } as const;
      const pending = this.#world.recorder.invoke('quick', operation);
      this.#open++;
      this.#producer.send(topic, [{ partition, value: encodeValue(id, 10) }]).then(
        (placed) => {
          pending.ok({ placed });
          this.#open--;
        },
        (error: unknown) => pending.caught(error),
      );
    }
  }
}

/** Waits at the ends of partitions. */
class Reader {
  read = 0;

  constructor(world: SimWorld, client: Client, assignment: readonly TopicPartition[], minBytes: number) {
    void this.#run(client, [...assignment], minBytes).catch((error: unknown) =>
      world.note(`quick reader: ${String(error)}`),
    );
  }

  async #run(client: Client, assignment: TopicPartition[], minBytes: number): Promise<void> {
    const consumer = client.consumer({ assignment, from: 'end', maxWaitMs: READER_WAIT_MS, minBytes });
    for await (const { records } of consumer.batches()) this.read += records.length;
  }
}
