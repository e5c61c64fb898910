#!/usr/bin/env node
import { argv } from 'node:process';
import { Command, CommanderError } from 'commander';
import { VERSION } from '../index.ts';
import { addClusterCommands } from './commands/cluster.ts';
import { addConfigCommand } from './commands/config-explain.ts';
import { addConsumeCommand } from './commands/consume.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addDevCommand } from './commands/dev.ts';
import { addFormatCommand } from './commands/format.ts';
import { addHealthCommand } from './commands/health.ts';
import { addLogCommand } from './commands/log-dump.ts';
import { addProduceCommand } from './commands/produce.ts';
import { addServerCommand } from './commands/server.ts';
import { addTopicsCommand } from './commands/topics.ts';
import { EXIT_USAGE, setExitCode } from './output.ts';

const program = new Command('quorate')
  .description('A Kafka-style event-streaming cluster')
  .version(VERSION)
  .showHelpAfterError('(add --help for all options)')
  .exitOverride();
for (const add of [
  addDevCommand,
  addServerCommand,
  addFormatCommand,
  addTopicsCommand,
  addProduceCommand,
  addConsumeCommand,
  addClusterCommands,
  addConfigCommand,
  addLogCommand,
  addHealthCommand,
  addDemoCommand,
])
  add(program);
overrideExits(program);

try {
  await program.parseAsync(argv);
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  setExitCode(error.exitCode === 0 ? 0 : EXIT_USAGE);
}

/** Wrong usage ends with 2, whichever command it was. */
function overrideExits(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride();
    child.showHelpAfterError('(add --help for all options)');
    overrideExits(child);
  }
}
