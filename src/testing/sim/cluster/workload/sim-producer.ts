/** A client process that sends numbered values, each once, and writes down what became of them. */
import { type PartitionId, SeededRandom } from '../../../../base/index.ts';
import type { Client, Producer } from '../../../../client/index.ts';
import { encodeValue } from '../../../checkers/index.ts';
import type { SimWorld } from '../world.ts';
import { judgeAcknowledged } from './acknowledged.ts';

/** Sends that may be open at a time. */
const OPEN_MAX = 5;
/** A send that has no answer for so long is unknown: short, so that runs see some. */
const DELIVERY_TIMEOUT_MS = 20_000;
const FILLER_BYTES_MAX = 200;

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
      await this.#world.pause(this.#random, options.thinkMs);
      if (this.#open.size >= OPEN_MAX) await Promise.race(this.#open);
      const topic = options.topics[this.#random.integer(0, options.topics.length)];
      if (topic === undefined || this.#stopped) continue;
      const sending = this.#send(topic.name, this.#random.integer(0, topic.partitions));
      this.#open.add(sending);
      void sending.then(() => this.#open.delete(sending));
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
    }
  }
}
