/** A client process that sends numbered values, each once, and writes down what became of them. */
import { ApiError, type PartitionId, SeededRandom } from '../../../../base/index.ts';
import type { Client, Producer } from '../../../../client/index.ts';
import { encodeValue } from '../../../checkers/index.ts';
import { LawBroken } from '../law-broken.ts';
import { isWriteCaching } from '../options.ts';
import type { SimWorld } from '../world.ts';
import { judgeAcknowledged } from './acknowledged.ts';

/** Sends that may be open at a time. */
const OPEN_MAX = 5;
/** A send that has no answer for so long is unknown: short, so that runs see some. */
const DELIVERY_TIMEOUT_MS = 20_000;
/** Chance of a send to be followed by another at once. */
const BURST = 0.5;
const FILLER_BYTES_MAX = 200;
const BURST_MAX = 3;
const BURST_PAUSE_MS = 2;
/** An idempotent producer hears these only when the cluster forgot what it had acknowledged. */
const FORGOTTEN: ReadonlySet<string> = new Set(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID']);

export class SimProducer {
  readonly name: string;
  /** Records. */
  acknowledged = 0;
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #client: Client;
  readonly #producer: Producer;
  readonly #open = new Set<Promise<void>>();
  #sent = 0;
  #stopped = false;

  constructor(world: SimWorld, name: string) {
    this.#world = world;
    this.name = name;
    this.#random = new SeededRandom(world.options.seed, name);
    this.#client = world.client(name, { requestTimeoutMs: 10_000 });
    this.#producer = this.#client.producer({
      requestTimeoutMs: 3_000,
      deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
      maxBlockMs: DELIVERY_TIMEOUT_MS,
      compression: (['none', 'gzip', 'lz4', 'none'] as const)[this.#random.integer(0, 4)] ?? 'none',
    });
  }

  /** Resolves after `stop`, when every send has ended. */
  async run(): Promise<void> {
    const { options } = this.#world;
    while (!this.#stopped) {
      if (this.#random.float() > BURST) await this.#world.pause(this.#random, options.thinkMs);
      if (this.#open.size >= OPEN_MAX) await Promise.race(this.#open);
      const topic = options.topics[this.#random.integer(0, options.topics.length)];
      if (topic === undefined || this.#stopped) continue;
      const partition = this.#random.integer(0, topic.partitions);
      // One after the other: each in a batch of its own, and several on the way.
      for (let left = this.#random.integer(1, BURST_MAX + 1); left > 0; left--) {
        const sending = this.#send(topic.name, partition);
        this.#open.add(sending);
        void sending.then(() => this.#open.delete(sending));
        if (left > 1) await this.#world.after(BURST_PAUSE_MS);
      }
    }
    await Promise.all(this.#open);
    await this.#client.close({ timeoutMs: 0 });
  }

  stop(): void {
    this.#stopped = true;
  }

  async #send(topic: string, partition: PartitionId): Promise<void> {
    const count = this.#random.integer(1, this.#world.options.recordsMax + 1);
    const values = Array.from({ length: count }, () => `${this.name}.${this.#sent++}`);
    const records = values.map((id) => ({
      partition,
      value: encodeValue(id, this.#random.integer(0, FILLER_BYTES_MAX)),
    }));
    const pending = this.#world.recorder.invoke(this.name, {
      f: 'send',
      topic,
      partition,
      values,
      producer: this.name,
    });
    try {
      const placed = await this.#producer.send(topic, records);
      this.acknowledged += count;
      this.#world.trace.count('records acknowledged', count);
      pending.ok({ placed });
      judgeAcknowledged(this.#world, placed);
    } catch (error) {
      const { type } = pending.caught(error);
      this.#world.trace.count(type === 'fail' ? 'sends refused' : 'sends in doubt');
      this.#judgeRefusal(topic, error);
    }
  }

  #judgeRefusal(name: string, error: unknown): void {
    if (!(error instanceof ApiError) || !FORGOTTEN.has(error.code)) return;
    const topic = this.#world.options.topics.find((one) => one.name === name);
    if (isWriteCaching(topic?.configs ?? {})) return;
    this.#world.fail(
      new LawBroken('the sequence of a producer is not forgotten', { topic, code: error.code }),
    );
  }
}
