import type { Command } from 'commander';
import { StartupError } from '../../base/index.ts';
import type { Client } from '../../client/index.ts';
import type { TopicDescription } from '../../rpc/api/index.ts';
import { type CommonOptions, keyValue, wholeNumber, withClient, withCommonOptions } from '../options.ts';
import { counted, printJson, printLine } from '../output.ts';
import { defineDeleteRecords } from './topics-delete-records.ts';
import { defineOffsets } from './topics-offsets.ts';

interface CreateOptions extends CommonOptions {
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly config?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly ifNotExists?: boolean;
}

export function defineTopics(topics: Command): void {
  withCommonOptions(topics.command('create <topic>'))
    .description('create a topic; returns when it can be used')
    .option('--partitions <n>', 'number of partitions', wholeNumber(1))
    .option('--replication-factor <n>', 'replicas of each partition', wholeNumber(1))
    .option('--config <key=value>', 'topic configuration, may be repeated', keyValue)
    .option('--timeout-ms <ms>', 'longest wait', wholeNumber(1), 10_000)
    .option('--if-not-exists', 'no error when it exists already')
    .action((topic: string, options: CreateOptions) =>
      withClient(options, (client) => create(client, topic, options)),
    );
  withCommonOptions(topics.command('list'))
    .description('names of all topics')
    .action((options: CommonOptions) =>
      withClient(options, async (client) => {
        for (const topic of await client.admin.listTopics())
          if (options.json) printJson(toJson(topic));
          else printLine(topic.name);
      }),
    );
  withCommonOptions(topics.command('describe [topic]'))
    .description('leader, replicas and in-sync replicas of each partition')
    .action((topic: string | undefined, options: CommonOptions) =>
      withClient(options, (client) => describe(client, topic, options)),
    );
  withCommonOptions(topics.command('delete <topic>'))
    .description('delete a topic and all its records')
    .action((topic: string, options: CommonOptions) =>
      withClient(options, async (client) => {
        const deleted = await client.admin.deleteTopic(topic);
        if (options.json) printJson({ name: topic, topic_id: deleted.topicId });
        else printLine(`Deleted topic ${topic}.`);
      }),
    );
  defineDeleteRecords(topics);
  defineOffsets(topics);
}

async function create(client: Client, topic: string, options: CreateOptions): Promise<void> {
  const { partitions, replicationFactor, config, timeoutMs } = options;
  if (options.ifNotExists && (await client.admin.listTopics()).some(({ name }) => name === topic)) {
    if (options.json) printJson({ name: topic, existed: true });
    else printLine(`Topic ${topic} exists already.`);
    return;
  }
  const created = await client.admin.createTopic(
    topic,
    {
      ...(partitions === undefined ? {} : { partitions }),
      ...(replicationFactor === undefined ? {} : { replicationFactor }),
      ...(config === undefined ? {} : { configs: config }),
    },
    { timeoutMs },
  );
  if (options.json)
    printJson({
      name: topic,
      topic_id: created.topicId,
      partitions: created.partitions,
      replication_factor: created.replicationFactor,
    });
  else
    printLine(
      `Created topic ${topic} with ${counted(created.partitions, 'partition')} and replication factor ${created.replicationFactor}.`,
    );
}

async function describe(client: Client, topic: string | undefined, options: CommonOptions): Promise<void> {
  const topics =
    topic === undefined ? await client.admin.listTopics() : [await client.admin.describeTopic(topic)];
  for (const description of topics) {
    const configs = await client.admin.describeTopicConfigs(description.name);
    const own = configs.filter((entry) => entry.source === 'topic');
    if (options.json)
      printJson({
        ...toJson(description),
        configs: Object.fromEntries(own.map(({ name, value }) => [name, value])),
      });
    else printTopic(description, own.map(({ name, value }) => `${name}=${value}`).join(','));
  }
}

/** As kafka-topics --describe prints it. */
function printTopic({ name, topicId, partitions }: TopicDescription, configs: string): void {
  const first = partitions[0];
  if (first === undefined) throw new StartupError(`topic ${name} has no partitions`);
  printLine(
    `Topic: ${name}\tTopicId: ${topicId}\tPartitionCount: ${partitions.length}\t` +
      `ReplicationFactor: ${first.replicas.length}\tConfigs: ${configs}`,
  );
  for (const { partition, leaderId, replicas, isr, offlineReplicas } of partitions)
    printLine(
      `\tTopic: ${name}\tPartition: ${partition}\tLeader: ${leaderId < 0 ? 'none' : leaderId}\t` +
        `Replicas: ${replicas.join(',')}\tIsr: ${isr.join(',')}` +
        (offlineReplicas.length === 0 ? '' : `\tOffline: ${offlineReplicas.join(',')}`),
    );
}

function toJson({ name, topicId, partitions }: TopicDescription): Record<string, unknown> {
  return {
    name,
    topic_id: topicId,
    partitions: partitions.map((partition) => ({
      partition: partition.partition,
      leader_id: partition.leaderId,
      leader_epoch: partition.leaderEpoch,
      partition_epoch: partition.partitionEpoch,
      replicas: partition.replicas,
      isr: partition.isr,
      offline_replicas: partition.offlineReplicas,
    })),
  };
}
