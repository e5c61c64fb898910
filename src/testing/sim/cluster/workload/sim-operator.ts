/**
 * A person who makes topics and deletes them, changes configuration, and deletes old records, through any broker. Of an
 * answer that did not come nothing is claimed; what was answered must be so.
 */
import { ApiError, SeededRandom } from '../../../../base/index.ts';
import type { Client } from '../../../../client/index.ts';
import type { SimWorld } from '../world.ts';

/** Names of topics that come and go. */
const TOPICS_MAX = 3;
const TIMEOUT_MS = 10_000;

export class SimOperator {
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #client: Client;
  #stopped = false;

  constructor(world: SimWorld) {
    this.#world = world;
    this.#random = new SeededRandom(world.options.seed, 'operator');
    this.#client = world.client('operator', { requestTimeoutMs: TIMEOUT_MS });
  }

  async run(): Promise<void> {
    const { operatorMs } = this.#world.options;
    while (!this.#stopped && operatorMs !== undefined) {
      await this.#world.pause(this.#random, operatorMs);
      if (this.#stopped) break;
      try {
        await this.#act();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.#world.trace.count('requests of the operator in doubt');
      }
    }
    await this.#client.close({ timeoutMs: 0 });
  }

  stop(): void {
    this.#stopped = true;
  }

  #act(): Promise<void> {
    const draw = this.#random.float();
    if (draw < 0.3) return this.#makeTopic();
    if (draw < 0.5) return this.#deleteTopic();
    if (draw < 0.7) return this.#configure();
    return this.#deleteRecords();
  }

  async #makeTopic(): Promise<void> {
    const name = `made-${this.#random.integer(0, TOPICS_MAX)}`;
    const replicationFactor = Math.min(3, this.#world.options.brokers);
    await this.#client.admin.createTopic(name, { partitions: 2, replicationFactor });
    this.#world.trace.count('topics made');
  }

  async #deleteTopic(): Promise<void> {
    await this.#client.admin.deleteTopic(`made-${this.#random.integer(0, TOPICS_MAX)}`);
    this.#world.trace.count('topics deleted');
  }

  async #configure(): Promise<void> {
    const { name } = this.#someTopic();
    const value = String(2048 * 2 ** this.#random.integer(0, 6));
    await this.#client.admin.alterTopicConfigs(name, { 'segment.bytes': value });
    this.#world.trace.count('configurations changed');
  }

  /** Up to somewhere that a leader shows now. */
  async #deleteRecords(): Promise<void> {
    const { name: topic, partitions } = this.#someTopic();
    const partition = this.#random.integer(0, partitions);
    const leading = this.#world.findLeading(topic, partition);
    if (leading === undefined) return;
    const { logStartOffset, highWatermark } = leading.log;
    const before = logStartOffset + Math.floor((highWatermark - logStartOffset) * this.#random.float() * 0.5);
    const pending = this.#world.recorder.invoke('operator', {
      f: 'delete-records',
      topic,
      partition,
      before,
    });
    const [outcome] = await this.#client.admin.deleteRecords([{ topic, partition, before }]);
    if (outcome?.error !== 'NONE') return;
    pending.ok();
    this.#world.noteDeleted(topic, partition, before);
    this.#world.trace.count('records deleted');
  }

  #someTopic(): { readonly name: string; readonly partitions: number } {
    const { topics } = this.#world.options;
    return topics[this.#random.integer(0, topics.length)] ?? { name: 'none', partitions: 1 };
  }
}
