import { ApiError, type NodeId, type TopicPartition, topicPartitionKey } from '../../base/index.ts';
import { sleep } from '../../env/index.ts';
import {
  EARLIEST_TIMESTAMP,
  type IsolationLevel,
  LATEST_TIMESTAMP,
  type ListOffsetsPartition,
  type ListOffsetsPartitionReply,
} from '../../rpc/api/index.ts';
import { type Backoff, backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { isTransient, messageOf, toApiError } from '../failure.ts';

export { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP };

export interface OffsetQuestion extends TopicPartition {
  /** Unix milliseconds, or EARLIEST_TIMESTAMP or LATEST_TIMESTAMP. */
  readonly timestampMs: number;
}

export interface ListOffsetsOptions {
  readonly isolation: IsolationLevel;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const RETRY: Backoff = { firstMs: 50, maxMs: 1000, factor: 1.5 };

/**
 * Answers in the order of the questions, each without error. Asks leaders, waits out elections, and throws
 * when time is up.
 */
export async function listOffsets(
  cluster: Cluster,
  questions: readonly OffsetQuestion[],
  options: ListOffsetsOptions,
): Promise<ListOffsetsPartitionReply[]> {
  const { clock, timers, random } = cluster.environment;
  const deadlineMs = clock.monotonicMs() + options.timeoutMs;
  const answers = new Map<string, ListOffsetsPartitionReply>();
  for (let failures = 1; ; failures++) {
    const open = questions.filter((question) => !answers.has(keyOf(question)));
    if (open.length === 0) break;
    const problem = await askLeaders(cluster, open, options, deadlineMs, answers);
    if (problem === undefined) continue;
    const waitMs = backoffMs(failures, RETRY, random);
    if (clock.monotonicMs() + waitMs >= deadlineMs) throw toApiError(problem, 'looking up offsets');
    cluster.requestRefresh();
    await sleep(timers, waitMs, options.signal);
  }
  return questions.map((question) => answers.get(keyOf(question)) as ListOffsetsPartitionReply);
}

/** One request to each leader. Returns the last problem that may pass; throws one that will not. */
async function askLeaders(
  cluster: Cluster,
  questions: readonly OffsetQuestion[],
  options: ListOffsetsOptions,
  deadlineMs: number,
  answers: Map<string, ListOffsetsPartitionReply>,
): Promise<unknown> {
  let problem: unknown;
  const byLeader = new Map<NodeId, ListOffsetsPartition[]>();
  for (const question of questions) {
    const leader = cluster.findLeader(question.topic, question.partition);
    if (leader === undefined) {
      problem = new ApiError('LEADER_NOT_AVAILABLE', `${keyOf(question)} has no leader now`);
      continue;
    }
    const asked = byLeader.get(leader.nodeId) ?? [];
    asked.push({ ...question, currentLeaderEpoch: leader.leaderEpoch });
    byLeader.set(leader.nodeId, asked);
  }
  const timeoutMs = Math.max(1, deadlineMs - cluster.environment.clock.monotonicMs());
  const calls = [...byLeader].map(async ([nodeId, partitions]) => {
    const connection = cluster.findConnection(nodeId);
    if (connection === undefined)
      throw new ApiError('LEADER_NOT_AVAILABLE', `where broker ${nodeId} listens is not known`);
    const request = { isolation: options.isolation, partitions, forwarded: false };
    const call = { timeoutMs, ...(options.signal === undefined ? {} : { signal: options.signal }) };
    return connection.broker.listOffsets(request, call);
  });
  for (const result of await Promise.allSettled(calls)) {
    if (result.status === 'rejected') problem = passing(result.reason);
    else for (const reply of result.value.partitions) problem = note(cluster, reply, answers) ?? problem;
  }
  return problem;
}

function note(
  cluster: Cluster,
  reply: ListOffsetsPartitionReply,
  answers: Map<string, ListOffsetsPartitionReply>,
): unknown {
  if (reply.error === 'NONE') {
    answers.set(keyOf(reply), reply);
    return undefined;
  }
  if (reply.currentLeader !== undefined)
    cluster.learnLeader(reply.topic, reply.partition, reply.currentLeader);
  return passing(new ApiError(reply.error, reply.errorMessage));
}

function passing(error: unknown): unknown {
  if (!isTransient(error)) throw error instanceof Error ? error : new Error(messageOf(error));
  return error;
}

function keyOf(partition: TopicPartition): string {
  return topicPartitionKey(partition.topic, partition.partition);
}
