/**
 * A client process that sends one value at a time without idempotence, to be stored by all, by the leader or by whomever,
 * and does not wait for long: so it is told the broker's own word for what became of a record, which a careful producer
 * would not pass on but try again.
 */
import { SeededRandom } from '../../../../base/index.ts';
import type { Client, Producer } from '../../../../client/index.ts';
import { encodeValue } from '../../../checkers/index.ts';
import type { SimWorld } from '../world.ts';
import { judgeAcknowledged, judgeSynced } from './acknowledged.ts';

/** Sends that may be open at a time: in bursts, so that some wait behind others. */
const OPEN_MAX = 10;
const ACKS = ['all', 'all', 1, 0] as const;
/** A request is given up, and sent again or not, after one of these. */
const TIMEOUTS_MS = [100, 400, 1_600, 6_400] as const;
const FILLER_BYTES_MAX = 100;

export class SimBluntProducer {
  readonly name: string;
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #client: Client;
  readonly #producer: Producer;
  readonly #acks: (typeof ACKS)[number];
  readonly #open = new Set<Promise<void>>();
  #sent = 0;
  #stopped = false;

  constructor(world: SimWorld, name: string) {
    this.#world = world;
    this.name = name;
    this.#random = new SeededRandom(world.options.seed, name);
    this.#acks = ACKS[this.#random.integer(0, ACKS.length)] ?? 'all';
    const requestTimeoutMs = TIMEOUTS_MS[this.#random.integer(0, TIMEOUTS_MS.length)] ?? 1_600;
    this.#client = world.client(name, { requestTimeoutMs });
    this.#producer = this.#client.producer({
      acks: this.#acks,
      idempotence: false,
      requestTimeoutMs,
      deliveryTimeoutMs: requestTimeoutMs * this.#random.integer(1, 4),
      maxBlockMs: 2_000,
    });
  }

  /** Resolves after `stop`, when every send has ended. */
  async run(): Promise<void> {
    const { options } = this.#world;
    while (!this.#stopped) {
      await this.#world.pause(this.#random, options.thinkMs);
      const topic = options.topics[this.#random.integer(0, options.topics.length)];
      if (topic === undefined || this.#stopped) continue;
      const partition = this.#random.integer(0, topic.partitions);
      for (let count = this.#random.integer(1, 3); count > 0 && this.#open.size < OPEN_MAX; count--) {
        const sending = this.#send(topic.name, partition);
        this.#open.add(sending);
        void sending.then(() => this.#open.delete(sending));
      }
    }
    await Promise.all(this.#open);
    await this.#client.close({ timeoutMs: 0 });
  }

  stop(): void {
    this.#stopped = true;
  }

  async #send(topic: string, partition: number): Promise<void> {
    const { recorder, trace } = this.#world;
    const value = `${this.name}.${this.#sent++}`;
    const operation = { f: 'send', topic, partition, values: [value], acks: this.#acks } as const;
    const pending = recorder.invoke(this.name, operation);
    const record = { partition, value: encodeValue(value, this.#random.integer(0, FILLER_BYTES_MAX)) };
    try {
      const placed = await this.#producer.send(topic, [record]);
      pending.ok({ placed });
      trace.count('blunt sends acknowledged');
      judgeSynced(this.#world, placed);
      if (this.#acks === 'all') judgeAcknowledged(this.#world, placed);
    } catch (error) {
      const { type } = pending.caught(error);
      trace.count(type === 'fail' ? 'blunt sends refused' : 'blunt sends in doubt');
    }
  }
}
