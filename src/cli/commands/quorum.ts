import type { Command } from 'commander';
import type { DescribeQuorumReply, ReplicaState } from '../../raft/core/messages.ts';
import { type CommonOptions, withClient, withCommonOptions } from '../options.ts';
import { printJson, printLine, printTable } from '../output.ts';

interface QuorumOptions extends CommonOptions {
  readonly replication?: boolean;
}

export function defineQuorum(group: Command): void {
  withCommonOptions(group.command('describe'))
    .description('leader, epoch, high watermark and voters')
    .option('--replication', 'how far each replica is')
    .action((options: QuorumOptions) =>
      withClient(options, async (client) => {
        const quorum = await client.admin.describeQuorum();
        if (options.json) printJson(quorumJson(quorum));
        else if (options.replication) printReplication(quorum);
        else printQuorum(quorum);
      }),
    );
}

/** As kafka-metadata-quorum describe --status prints it. */
function printQuorum(quorum: DescribeQuorumReply): void {
  const ids = (replicas: readonly ReplicaState[]): string => byId(replicas).map(idOf).join(',');
  const rows: readonly (readonly [string, string | number])[] = [
    ['LeaderId', quorum.leaderId],
    ['LeaderEpoch', quorum.leaderEpoch],
    ['HighWatermark', quorum.highWatermark],
    ['LogEndOffset', quorum.logEndOffset],
    ['CurrentVoters', `[${ids(quorum.voters)}]`],
    ['CurrentObservers', `[${ids(quorum.observers)}]`],
  ];
  for (const [name, value] of rows) printLine(`${`${name}:`.padEnd(18)}${value}`);
}

const idOf = ({ replica }: ReplicaState): number => replica.id;

function byId(replicas: readonly ReplicaState[]): ReplicaState[] {
  return replicas.toSorted((a, b) => idOf(a) - idOf(b));
}

function printReplication(quorum: DescribeQuorumReply): void {
  const row = (status: string, state: ReplicaState): (string | number)[] => [
    state.replica.id,
    state.replica.directoryId,
    state.logEndOffset,
    state.logEndOffset < 0 ? '-' : quorum.logEndOffset - state.logEndOffset,
    state.lastFetchAgeMs < 0 ? '-' : Math.round(state.lastFetchAgeMs),
    state.lastCaughtUpAgeMs < 0 ? '-' : Math.round(state.lastCaughtUpAgeMs),
    status,
  ];
  printTable(
    ['NODE', 'DIRECTORY', 'LOG END', 'LAG', 'LAST FETCH MS', 'CAUGHT UP MS', 'STATUS'],
    [
      ...byId(quorum.voters).map((state) =>
        row(state.replica.id === quorum.leaderId ? 'Leader' : 'Follower', state),
      ),
      ...byId(quorum.observers).map((state) => row('Observer', state)),
    ],
  );
}

function quorumJson(quorum: DescribeQuorumReply): Record<string, unknown> {
  const states = (replicas: readonly ReplicaState[]) =>
    byId(replicas).map((state) => ({
      replica_id: state.replica.id,
      directory_id: state.replica.directoryId,
      log_end_offset: state.logEndOffset,
      last_fetch_age_ms: state.lastFetchAgeMs,
      last_caught_up_age_ms: state.lastCaughtUpAgeMs,
    }));
  return {
    leader_id: quorum.leaderId,
    leader_epoch: quorum.leaderEpoch,
    high_watermark: quorum.highWatermark,
    log_end_offset: quorum.logEndOffset,
    voters: states(quorum.voters),
    observers: states(quorum.observers),
  };
}
