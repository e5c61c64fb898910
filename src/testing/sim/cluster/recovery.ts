/**
 * What must be so soon after everything works again, each with a bound of its own; and what must be left of a node that
 * was stopped: nothing.
 */
import { topicPartitionKey } from '../../../base/index.ts';
import { encodeValue } from '../../checkers/index.ts';
import type { TestEnvironment } from '../../twins/index.ts';
import type { Expect } from './expect.ts';
import { LawBroken } from './law-broken.ts';
import type { Machine } from './machine.ts';
import { isWriteCaching, type TopicPlan, topicsOf } from './options.ts';
import { patienceMs, quorumFetchTimeoutMs } from './patience.ts';
import type { Workload } from './workload/workload.ts';
import type { SimWorld } from './world.ts';

/** After the silence of the last one was noticed. */
const CONTROLLER_MS = 8_000;
const LEADERS_MS = 10_000;
const PRODUCED_MS = 10_000;
const IN_SYNC_MS = 30_000;
const ENDS_MS = 10_000;
const READ_MS = 10_000;
/** Beside two rounds of the scrub. */
const FOUND_MS = 90_000;
const STOPPED_MS = 30_000;

/** From the moment when all that was broken works. */
export async function expectRecovery(world: SimWorld, workload: Workload, expect: Expect): Promise<void> {
  const noticedMs = quorumFetchTimeoutMs(world);
  await expect(
    'a controller is active',
    CONTROLLER_MS + noticedMs,
    () => world.activeController() !== undefined,
  );
  const slowMs = patienceMs(world);
  const leadersMs = LEADERS_MS + slowMs;
  await expect('every partition has a leader', leadersMs, () => partitionsOf(world).every(hasLeader(world)));
  await expect('every replica is in sync', IN_SYNC_MS + slowMs, () => isWhole(world));
  await expectEnds(world, expect);
  const before = workload.readings;
  const getOn = (): boolean => workload.readings.every((count, reader) => count > (before[reader] ?? 0));
  await expectAcknowledged(world, expect, 'probe');
  // A reader that stood behind what was lost goes on at the end when it hears of it: what was sent before, it misses.
  const isLossy = world.options.topics.some(({ configs }) => isWriteCaching(configs));
  if (isLossy && !(await world.run(getOn, READ_MS + slowMs)))
    await expectAcknowledged(world, expect, 'another-probe');
  await expect('every reader gets on', READ_MS + slowMs, getOn);
  const foundMs = FOUND_MS + 2 * Number(world.options.settings['log.scrub.interval.ms'] ?? 0);
  await expect('every turned bit is found', foundMs + slowMs, () => world.rot.open.length === 0);
  await expect('every replica is in sync', IN_SYNC_MS + slowMs, () => isWhole(world));
}

async function expectAcknowledged(world: SimWorld, expect: Expect, name: string): Promise<void> {
  const probe = new Probe(world, name);
  await expect('every partition acknowledges a record', PRODUCED_MS, () => probe.isDone);
  await probe.close();
}

/** A new leader tells the end of its log although nobody has written to it since. */
async function expectEnds(world: SimWorld, expect: Expect): Promise<void> {
  const client = world.client('ends');
  let told = 0;
  for (const { name } of world.options.topics)
    client.admin.listOffsets(name, 'latest', { timeoutMs: ENDS_MS }).then(
      () => told++,
      (error: unknown) => world.note(`the ends of ${name}: ${String(error)}`),
    );
  await expect('every partition tells its end', ENDS_MS, () => told === world.options.topics.length);
  await client.close({ timeoutMs: 0 });
}

/** Stops all nodes in order; none leaves a file open or a timer that waits. */
export async function expectNothingLeft(world: SimWorld, expect: Expect): Promise<void> {
  let stopped = 0;
  world.isStopping = true;
  const stop = async ({ node }: Machine): Promise<void> => {
    await node?.stop({ controlled: false });
    stopped++;
  };
  for (const machine of world.machines) stop(machine).catch((error: unknown) => world.fail(error));
  await expect('every node stops', STOPPED_MS, () => stopped === world.machines.length);
  for (const { name, environment } of world.machines) assertNothingLeft(name, environment);
}

/** Of a node that was stopped in order. */
export function assertNothingLeft(
  node: string,
  { files, timers }: Pick<TestEnvironment, 'files' | 'timers'>,
): void {
  const open = files.openPaths();
  if (open.length > 0) throw new LawBroken('a node that stopped has no file open', { node, open });
  const { pending } = timers;
  if (pending > 0) throw new LawBroken('a node that stopped has no timer', { node, pending });
}

/** True when every broker serves, but one that may be away, and every replica of these is in sync. */
export function isWhole(world: SimWorld, away?: Machine): boolean {
  if (!world.brokers.every((machine) => machine === away || machine.isServing)) return false;
  return partitionsOf(world).every(([{ name }, partition]) => {
    const state = world.findLeading(name, partition)?.state;
    return state?.replicas.every((id) => id === away?.plan.id || state.isr.isr.includes(id)) === true;
  });
}

function partitionsOf(
  world: SimWorld,
  topics = topicsOf(world.options),
): (readonly [topic: TopicPlan, partition: number])[] {
  return topics.flatMap((topic) =>
    Array.from({ length: topic.partitions }, (_, partition) => [topic, partition] as const),
  );
}

function hasLeader(world: SimWorld): (one: readonly [topic: TopicPlan, partition: number]) => boolean {
  return ([{ name }, partition]) => world.findLeading(name, partition) !== undefined;
}

/** A client that sends one record to each partition of the common topics. */
class Probe {
  readonly #client;
  readonly #waiting = new Set<string>();

  constructor(world: SimWorld, name: string) {
    this.#client = world.client(name);
    const producer = this.#client.producer({ requestTimeoutMs: 3_000, deliveryTimeoutMs: PRODUCED_MS });
    for (const [index, [{ name: topic }, partition]] of partitionsOf(world, world.options.topics).entries()) {
      const key = topicPartitionKey(topic, partition);
      const id = `${name}.${index}`;
      this.#waiting.add(key);
      const pending = world.recorder.invoke(name, {
        f: 'send',
        topic,
        partition,
        values: [id],
        producer: name,
      });
      producer.send(topic, [{ partition, value: encodeValue(id, 10) }]).then(
        (placed) => {
          pending.ok({ placed });
          this.#waiting.delete(key);
        },
        (error: unknown) => pending.caught(error),
      );
    }
  }

  get isDone(): boolean {
    return this.#waiting.size === 0;
  }

  async close(): Promise<void> {
    await this.#client.close({ timeoutMs: 0 });
  }
}
