/**
 * What only the active controller decides: checked at this door where that is cheap, then sent on, within a bounded time.
 *
 * Names that can never be a topic's are answered here, so that they get their reason also while nobody decides.
 */
import { ApiError, topicNameProblem, ZERO_UUID } from '../../base/index.ts';
import type {
  AlterConfigsReply,
  AlterConfigsRequest,
  CreatableTopic,
  CreatedTopic,
  CreateTopicsReply,
  CreateTopicsRequest,
  DeletedTopic,
  DeleteTopicsReply,
  DeleteTopicsRequest,
} from '../../rpc/api/index.ts';
import type { ControllerChannel } from '../controller/controller-channel.ts';
import { refusal } from '../flow/outcome.ts';

/** Longest wait for the controller; a request may ask for less. */
export const ADMIN_TIMEOUT_MS = 10_000;
/** Time kept back to find out why nobody decides. */
const EXPLAIN_MS = 500;
/** Topics, or resources, of one request. */
export const ADMIN_ITEMS_MAX = 2_000;

export class ForwardedAdmin {
  readonly #controller: ControllerChannel;

  constructor(controller: ControllerChannel) {
    this.#controller = controller;
  }

  async createTopics(request: CreateTopicsRequest, signal: AbortSignal): Promise<CreateTopicsReply> {
    assertFew(request.topics.length);
    const refused = new Map<CreatableTopic, CreatedTopic>();
    for (const topic of request.topics) {
      const problem = topicNameProblem(topic.name);
      if (problem !== undefined) refused.set(topic, notCreated(topic, problem));
    }
    const topics = request.topics.filter((topic) => !refused.has(topic));
    const timeoutMs = timeoutOf(request.timeoutMs);
    const reply =
      topics.length === 0
        ? { topics: [] }
        : await this.#controller.call(
            (controller, call) => controller.createTopics({ ...request, topics, timeoutMs }, call),
            { timeoutMs, repeatable: request.validateOnly, signal },
          );
    const created = reply.topics.values();
    return {
      topics: request.topics.map((topic) => refused.get(topic) ?? created.next().value ?? notAnswered(topic)),
    };
  }

  async deleteTopics(request: DeleteTopicsRequest, signal: AbortSignal): Promise<DeleteTopicsReply> {
    assertFew(request.topics.length);
    type Item = DeleteTopicsRequest['topics'][number];
    const refused = new Map<Item, DeletedTopic>();
    for (const item of request.topics) {
      const problem = item.name === undefined ? undefined : topicNameProblem(item.name);
      if (problem === undefined) continue;
      const outcome = refusal('INVALID_TOPIC_EXCEPTION', problem);
      refused.set(item, { ...outcome, name: item.name ?? '', topicId: item.topicId ?? ZERO_UUID });
    }
    const topics = request.topics.filter((item) => !refused.has(item));
    const timeoutMs = timeoutOf(request.timeoutMs);
    const reply =
      topics.length === 0
        ? { topics: [] }
        : await this.#controller.call(
            (controller, call) => controller.deleteTopics({ topics, timeoutMs }, call),
            { timeoutMs, repeatable: false, signal },
          );
    const deleted = reply.topics.values();
    return {
      topics: request.topics.map((item) => {
        const gone = refusal('NETWORK_EXCEPTION');
        const lost = { ...gone, name: item.name ?? '', topicId: item.topicId ?? ZERO_UUID };
        return refused.get(item) ?? deleted.next().value ?? lost;
      }),
    };
  }

  alterConfigs(request: AlterConfigsRequest, signal: AbortSignal): Promise<AlterConfigsReply> {
    assertFew(request.changes.length);
    // Appending to a list twice differs from once; everything else may be repeated.
    const repeatable = request.changes.every(({ operations }) =>
      operations.every(({ kind }) => kind === 'set' || kind === 'delete'),
    );
    return this.#controller.call((controller, call) => controller.alterConfigs(request, call), {
      timeoutMs: timeoutOf(ADMIN_TIMEOUT_MS),
      repeatable: repeatable || request.validateOnly,
      signal,
    });
  }
}

function timeoutOf(askedMs: number): number {
  const timeoutMs = askedMs > 0 ? Math.min(askedMs, ADMIN_TIMEOUT_MS) : ADMIN_TIMEOUT_MS;
  return timeoutMs > 2 * EXPLAIN_MS ? timeoutMs - EXPLAIN_MS : timeoutMs;
}

function assertFew(items: number): void {
  if (items > ADMIN_ITEMS_MAX)
    throw new ApiError(
      'INVALID_REQUEST',
      `${items} items in one request; at most ${ADMIN_ITEMS_MAX} are allowed`,
    );
}

function notCreated({ name }: CreatableTopic, problem: string): CreatedTopic {
  const outcome = refusal('INVALID_TOPIC_EXCEPTION', problem);
  return { ...outcome, name, topicId: ZERO_UUID, partitions: -1, replicationFactor: -1 };
}

function notAnswered({ name }: CreatableTopic): CreatedTopic {
  const outcome = refusal('NETWORK_EXCEPTION');
  return { ...outcome, name, topicId: ZERO_UUID, partitions: -1, replicationFactor: -1 };
}
