/** All commands by name. A command's own module, with all that it needs, is loaded only when that command is meant. */
import { Command, CommanderError } from 'commander';
import { VERSION } from '../base/index.ts';
import { EXIT_USAGE, endQuietlyOnClosedPipe, setExitCode } from './output.ts';

interface Entry {
  readonly usage: string;
  readonly description: string;
  /** Gives what adds options, subcommands and the action. */
  readonly load: () => Promise<(command: Command) => void>;
}

const COMMANDS: readonly Entry[] = [
  {
    usage: 'dev',
    description: 'run a whole cluster on this machine',
    load: async () => (await import('./commands/dev.ts')).defineDev,
  },
  {
    usage: 'server',
    description: 'run one node',
    load: async () => (await import('./commands/server.ts')).defineServer,
  },
  {
    usage: 'format',
    description:
      'make a new data directory a member of a cluster (an empty one is formatted at start by itself)',
    load: async () => (await import('./commands/format.ts')).defineFormat,
  },
  {
    usage: 'topics',
    description: 'create, list, describe and delete topics',
    load: async () => (await import('./commands/topics.ts')).defineTopics,
  },
  {
    usage: 'produce <topic>',
    description: 'send lines as records, from standard input or a file',
    load: async () => (await import('./commands/produce.ts')).defineProduce,
  },
  {
    usage: 'consume <topic>',
    description: 'print records; Ctrl-C ends',
    load: async () => (await import('./commands/consume.ts')).defineConsume,
  },
  {
    usage: 'cluster',
    description: 'the cluster as a whole',
    load: async () => (await import('./commands/cluster.ts')).defineCluster,
  },
  {
    usage: 'quorum',
    description: 'the metadata quorum',
    load: async () => (await import('./commands/quorum.ts')).defineQuorum,
  },
  {
    usage: 'config',
    description: 'configuration keys',
    load: async () => (await import('./commands/config-explain.ts')).defineConfig,
  },
  {
    usage: 'log',
    description: 'files of a log, and its replicas',
    load: async () => {
      const { defineLog } = await import('./commands/log-dump.ts');
      const { defineLogVerify } = await import('./commands/log-verify.ts');
      return (log) => {
        defineLog(log);
        defineLogVerify(log);
      };
    },
  },
  {
    usage: 'health',
    description: 'ask the local node whether it serves',
    load: async () => (await import('./commands/health.ts')).defineHealth,
  },
  {
    usage: 'demo',
    description: 'kill a leader and the active controller while producing a file, and lose nothing',
    load: async () => (await import('./commands/demo.ts')).defineDemo,
  },
];

/** Runs the command that `words` say. What it answers a shell with is in the exit code of the process. */
export async function run(words: readonly string[]): Promise<void> {
  const program = new Command('quorate')
    .description('A Kafka-style event-streaming cluster')
    .version(VERSION)
    .exitOverride();
  const meant = words.find((word) => word !== 'help' && !word.startsWith('-'));
  for (const { usage, description, load } of COMMANDS) {
    const command = program.command(usage).description(description);
    if (command.name() === meant) (await load())(command);
  }
  endWithUsage(program);
  endQuietlyOnClosedPipe();
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    setExitCode(error.exitCode === 0 ? 0 : EXIT_USAGE);
  }
}

/** Wrong usage ends with 2, whichever command it was. */
function endWithUsage(command: Command): void {
  command.exitOverride().showHelpAfterError('(add --help for all options)');
  for (const child of command.commands) endWithUsage(child);
}
