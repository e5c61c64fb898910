/**
 * A client process that keeps the newest value of each of its keys in a compacted topic, and deletes some. Older values may
 * go, in any order and at any time; the newest that was acknowledged stays, and never do older ones come back behind it.
 *
 * One producer writes all, so each key's values rise. A deletion is a record without a value; it stays longer than any run.
 */
import { type Offset, type PartitionId, SeededRandom, topicPartitionKey } from '../../../../base/index.ts';
import type { Client, Consumer, Producer } from '../../../../client/index.ts';
import { LawBroken } from '../law-broken.ts';
import type { TopicPlan } from '../options.ts';
import type { SimWorld } from '../world.ts';

const KEYS = 8;
const DELETIONS = 0.2;
const OPEN_MAX = 5;
const RECORDS_MAX = 6;
const TIMEOUT_MS = 20_000;
const FILLER = 'x'.repeat(60);

interface Kept {
  readonly offset: Offset;
  /** Undefined: deleted. */
  readonly version: number | undefined;
}

export class SimKeeper {
  readonly #world: SimWorld;
  readonly #topic: TopicPlan;
  readonly #random: SeededRandom;
  readonly #client: Client;
  readonly #producer: Producer;
  readonly #open = new Set<Promise<void>>();
  /** By partition and key: what was acknowledged last. */
  readonly #kept = new Map<string, Kept>();
  #versions = 0;
  #stopped = false;

  constructor(world: SimWorld, topic: TopicPlan) {
    this.#world = world;
    this.#topic = topic;
    this.#random = new SeededRandom(world.options.seed, 'keeper');
    this.#client = world.client('keeper', { requestTimeoutMs: 10_000 });
    const timeouts = { requestTimeoutMs: 3_000, deliveryTimeoutMs: TIMEOUT_MS, maxBlockMs: TIMEOUT_MS };
    this.#producer = this.#client.producer({ ...timeouts, compression: 'lz4' });
  }

  /** Resolves after `stop`, when every send has ended. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      await this.#world.pause(this.#random, this.#world.options.thinkMs);
      if (this.#open.size >= OPEN_MAX) await Promise.race(this.#open);
      if (this.#stopped) break;
      const sending = this.#send(this.#random.integer(0, this.#topic.partitions));
      this.#open.add(sending);
      void sending.then(() => this.#open.delete(sending));
    }
    await Promise.all(this.#open);
    await this.#client.close({ timeoutMs: 0 });
  }

  stop(): void {
    this.#stopped = true;
  }

  async #send(partition: PartitionId): Promise<void> {
    const records = Array.from({ length: this.#random.integer(1, RECORDS_MAX + 1) }, () => {
      const version = this.#random.float() < DELETIONS ? undefined : this.#versions++;
      return { key: `key-${this.#random.integer(0, KEYS)}`, version };
    });
    const values = records.map(({ key, version }) => ({
      partition,
      key,
      value: version === undefined ? null : `${version} ${FILLER}`,
    }));
    try {
      const [placed] = await this.#producer.send(this.#topic.name, values);
      if (placed === undefined || placed.offset < 0) return;
      this.#world.trace.count('keyed records acknowledged', records.length);
      for (const [index, { key, version }] of records.entries())
        this.#keep(partition, key, { offset: placed.offset + index, version });
    } catch {
      // Nobody knows what became of them: what is read may be newer than what is kept.
    }
  }

  #keep(partition: PartitionId, key: string, kept: Kept): void {
    const name = nameOf(partition, key);
    if (kept.offset > (this.#kept.get(name)?.offset ?? -1)) this.#kept.set(name, kept);
  }

  /** Reads everything; throws LawBroken. When nothing is sent any more. */
  async judge(): Promise<void> {
    const client = this.#world.client('keeper of the end');
    const assignment = Array.from({ length: this.#topic.partitions }, (_, partition) => ({
      topic: this.#topic.name,
      partition,
    }));
    const found = await readNewest(client.consumer({ assignment, from: 'beginning' }), this.#topic.name);
    await client.close();
    for (const [name, kept] of this.#kept) judgeNewest(this.#topic.name, name, kept, found.get(name));
    this.#world.trace.count('keys read in the end', found.size);
  }
}

async function readNewest(consumer: Consumer, topic: string): Promise<ReadonlyMap<string, Kept>> {
  const found = new Map<string, Kept>();
  for await (const { partition, records } of consumer.batchesUntilEnd())
    for (const { offset, key, value } of records) {
      const name = nameOf(partition, String(key));
      const before = found.get(name);
      const version = value === null ? undefined : Number.parseInt(String(value), 10);
      if (before?.version !== undefined && version !== undefined && version <= before.version)
        throw new LawBroken('the values of a key rise', { topic, name, before, now: { offset, version } });
      found.set(name, { offset, version });
    }
  return found;
}

/** Throws unless what was read last is what was acknowledged last, or newer. */
export function judgeNewest(topic: string, name: string, kept: Kept, found: Kept | undefined): void {
  const isNewer = found !== undefined && found.offset > kept.offset;
  const isSame = found?.offset === kept.offset && found.version === kept.version;
  if (!isNewer && !isSame)
    throw new LawBroken('the newest value of a key stays', { topic, name, kept, found: found ?? 'nothing' });
}

function nameOf(partition: PartitionId, key: string): string {
  return topicPartitionKey(key, partition);
}
