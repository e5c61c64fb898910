/**
 * Creates topics at first use, where auto.create.topics.enable says so, with num.partitions and default.replication.factor.
 *
 * Many who ask for one name share one request. What goes wrong is only logged: the asker is told that there is no such
 * topic, which is true, and asks again.
 */
import { topicNameProblem } from '../../base/index.ts';
import type { Logger } from '../../env/index.ts';
import type { ControllerChannel } from '../controller/controller-channel.ts';
import { messageOf } from '../flow/outcome.ts';

/** Names under way at a time; further ones are asked for again later. */
const NAMES_MAX = 1_000;
const TIMEOUT_MS = 3_000;

export class TopicAutoCreate {
  readonly #controller: ControllerChannel;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(controller: ControllerChannel, logger: Logger, signal: AbortSignal) {
    this.#controller = controller;
    this.#logger = logger;
    this.#signal = signal;
  }

  /** Resolves when each has been created, or could not be. Never rejects. */
  async create(names: readonly string[]): Promise<void> {
    const legal = names.filter((name) => topicNameProblem(name) === undefined);
    await Promise.all(legal.map((name) => this.#underWay.get(name) ?? this.#start(name)));
  }

  #start(name: string): Promise<void> | undefined {
    if (this.#underWay.size >= NAMES_MAX) return undefined;
    const done = this.#createOne(name).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, done);
    return done;
  }

  async #createOne(name: string): Promise<void> {
    const topic = { name, partitions: -1, replicationFactor: -1, assignments: [], configs: {} };
    const request = { topics: [topic], validateOnly: false, timeoutMs: TIMEOUT_MS };
    try {
      const { topics } = await this.#controller.call(
        // Created twice is created: the second time says that it exists.
        (controller, call) => controller.createTopics(request, call),
        { timeoutMs: TIMEOUT_MS, repeatable: true, signal: this.#signal },
      );
      this.#logger.info({ topic: name, result: topics[0]?.error }, 'topic created at first use');
    } catch (error) {
      this.#logger.warn({ topic: name, message: messageOf(error) }, 'topic not created at first use');
    }
  }
}
