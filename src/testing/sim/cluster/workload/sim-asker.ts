/**
 * A client that asks where partitions end, again and again: whoever was told an end is never told an earlier one, whichever
 * leader answers. And which record is the newest: it is told of none that is not committed. Source: KIP-207.
 */
import { ApiError, type Offset, SeededRandom } from '../../../../base/index.ts';
import type { Client } from '../../../../client/index.ts';
import { LawBroken } from '../law-broken.ts';
import { judgeFound } from '../lookups.ts';
import { isWriteCaching, type TopicPlan } from '../options.ts';
import type { SimWorld } from '../world.ts';

const PAUSE_MS = 5_000;
const TIMEOUT_MS = 5_000;

export class SimAsker {
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #client: Client;
  /** The latest end, by partition. */
  readonly #ends = new Map<string, Offset>();
  #stopped = false;

  constructor(world: SimWorld) {
    this.#world = world;
    this.#random = new SeededRandom(world.options.seed, 'asker');
    this.#client = world.client('asker', { requestTimeoutMs: TIMEOUT_MS });
  }

  async run(): Promise<void> {
    const { topics, thinkMs } = this.#world.options;
    while (!this.#stopped) {
      await this.#world.pause(this.#random, Math.max(thinkMs, PAUSE_MS));
      const topic = topics[this.#random.integer(0, topics.length)];
      if (topic === undefined || this.#stopped) continue;
      try {
        await Promise.all([this.#askEnds(topic), this.#askNewest(topic)]);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
      }
    }
    await this.#client.close({ timeoutMs: 0 });
  }

  stop(): void {
    this.#stopped = true;
  }

  async #askEnds({ name: topic, configs }: TopicPlan): Promise<void> {
    const ends = await this.#client.admin.listOffsets(topic, 'latest', { timeoutMs: TIMEOUT_MS });
    this.#world.trace.count('ends told', ends.length);
    for (const { partition, offset } of ends) {
      const name = `${topic}-${partition}`;
      const before = this.#ends.get(name) ?? 0;
      // A leader that lost nothing may tell of more, long after power failed elsewhere.
      const mayFall = isWriteCaching(configs) && this.#world.powerLosses > 0;
      if (offset < before && !mayFall)
        this.#world.fail(new LawBroken('an end that was told does not fall', { name, before, offset }));
      this.#ends.set(name, offset);
    }
  }

  async #askNewest({ name: topic }: TopicPlan): Promise<void> {
    const timeoutMs = TIMEOUT_MS;
    judgeFound(
      this.#world,
      topic,
      await this.#client.admin.listOffsets(topic, 'max-timestamp', { timeoutMs }),
    );
  }
}
