/** Compares the replicas of a topic by what they have on disk. Which one is wrong is for the majority to say. */
import type { Command } from 'commander';
import { StartupError } from '../../base/index.ts';
import type { Client, LogVerdict } from '../../client/index.ts';
import { type CommonOptions, wholeNumber, withClient, withCommonOptions } from '../options.ts';
import { counted, EXIT_REFUSED, printJson, printLine, setExitCode } from '../output.ts';

interface VerifyOptions extends CommonOptions {
  readonly partition?: number;
}

export function defineLogVerify(group: Command): void {
  withCommonOptions(group.command('verify <topic>'))
    .description('compare the replicas of a topic, as they lie on disk, below the high watermark')
    .option('--partition <n>', 'this partition only', wholeNumber(0))
    .action((topic: string, options: VerifyOptions) =>
      withClient(options, (client) => verify(client, topic, options)),
    );
}

async function verify(client: Client, topic: string, options: VerifyOptions): Promise<void> {
  const { partitions } = await client.admin.describeTopic(topic);
  const chosen = partitions.filter(
    ({ partition }) => options.partition === undefined || partition === options.partition,
  );
  if (chosen.length === 0)
    throw new StartupError(
      `topic ${topic} has partitions 0 to ${partitions.length - 1}, not ${options.partition}`,
    );
  const configs = await client.admin.describeTopicConfigs(topic);
  const policy = configs.find(({ name }) => name === 'cleanup.policy')?.value ?? '';
  const isCompacted = policy.split(',').some((word) => word.trim() === 'compact');
  for (const { partition } of chosen) {
    if (isCompacted) {
      reportSkipped(topic, partition, options.json === true);
      continue;
    }
    const verdict = await client.admin.verifyLog(topic, partition);
    if (options.json) printJson(toJson(verdict));
    else for (const line of toText(verdict)) printLine(line);
    if (!isSound(verdict)) setExitCode(EXIT_REFUSED);
  }
}

/** Everything could be compared, and is equal. */
function isSound({ kind, problems }: LogVerdict): boolean {
  return problems.length === 0 && kind !== 'differs';
}

function reportSkipped(topic: string, partition: number, json: boolean): void {
  const reason = 'compacted: each replica compacts by itself, so sound ones differ';
  if (json) printJson({ topic, partition, result: 'skipped', reason });
  else printLine(`Topic: ${topic}\tPartition: ${partition}\tskipped\t${reason}`);
}

export function toText(verdict: LogVerdict): string[] {
  const { topic, partition, fromOffset, toOffset, bytes, compared, problems, difference } = verdict;
  const head = `Topic: ${topic}\tPartition: ${partition}\t`;
  const range = `offsets ${fromOffset} to ${toOffset}\treplicas ${compared.join(',') || 'none'}\t${counted(bytes, 'byte')}`;
  const lines: string[] = [];
  if (verdict.kind === 'equal') lines.push(`${head}equal\t${range}`);
  if (verdict.kind === 'alone') lines.push(`${head}not compared\t${oneReplica(verdict)}`);
  if (difference !== undefined) {
    const { odd, offset, replicas } = difference;
    const who =
      odd.length === 0
        ? 'there is no majority, look at each'
        : `broker ${odd.join(', ')} differs from the majority`;
    lines.push(`${head}differs\tfrom offset ${offset} on: ${who}`);
    for (const { brokerId, segment, digest, batches } of replicas)
      lines.push(
        `\tbroker ${brokerId}${odd.includes(brokerId) ? ' (odd)' : ''}\t${segment}\t` +
          (batches === 0 ? 'no batch begins there' : `digest ${digest}`),
      );
  }
  for (const { brokerId, error, message } of problems)
    lines.push(`\tbroker ${brokerId} cannot be compared\t${error}: ${message}`);
  return lines;
}

function oneReplica({ compared, problems }: LogVerdict): string {
  if (problems.length === 0) return 'there is one replica';
  return compared.length === 0 ? 'no replica answers' : `only broker ${compared[0]} answers`;
}

function toJson(verdict: LogVerdict): object {
  const { topic, partition, kind, fromOffset, toOffset, bytes, compared, problems, difference } = verdict;
  return {
    topic,
    partition,
    result: kind,
    from_offset: fromOffset,
    to_offset: toOffset,
    bytes,
    compared,
    problems: problems.map(({ brokerId, error, message }) => ({ broker: brokerId, error, message })),
    ...(difference === undefined
      ? {}
      : {
          difference: {
            offset: difference.offset,
            odd: difference.odd,
            replicas: difference.replicas.map(({ brokerId, segment, digest, batches }) => ({
              broker: brokerId,
              segment,
              digest,
              batches,
            })),
          },
        }),
  };
}
