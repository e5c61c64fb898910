#!/usr/bin/env node
/**
 * The command line. Nothing but this file is loaded before the compile cache of Node is on; the program then loads the one
 * command that is meant.
 */
import { enableCompileCache } from 'node:module';
import { argv } from 'node:process';

enableCompileCache();
const { run } = await import('./program.ts');
await run(argv.slice(2));
