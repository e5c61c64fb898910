/**
 * A process that ends itself. Argument: `{ calls, logger }` of the contract, as JSON. The second call and those after it
 * come from handlers of 'exit': nothing else of a process that ends gets a word. Log on standard error, everything that
 * runs although it must not on standard output.
 */
import { writeSync } from 'node:fs';
import { SILENT } from '../../../src/env/index.ts';
import { createPinoLogger, processExit } from '../../../src/env/node/index.ts';
import type { FatalCall } from '../../env/exit-contract.ts';
import { makeThrown } from '../../env/thrown.ts';

const { calls, logger } = JSON.parse(process.argv[2] ?? '') as {
  calls: FatalCall[];
  logger: 'works' | 'throws';
};
const broken = {
  ...SILENT,
  error() {
    throw new Error('no space left on device');
  },
};
const note = (text: string): void => {
  writeSync(1, `${text}\n`);
};
// Each has an exit of its own, as the nodes of one process have.
const fatal = ([reason, error]: FatalCall): void => {
  const pino = createPinoLogger({ level: 'error', destination: 2 });
  processExit(logger === 'works' ? pino : broken).fatal(reason, makeThrown(error));
};

const [first, ...later] = calls;
if (first === undefined) throw new RangeError('at least one call');
for (const call of later) process.on('exit', () => fatal(call));
setTimeout(() => note('a timer'), 0);
setImmediate(() => note('an immediate'));
void Promise.resolve().then(() => note('a promise'));
process.nextTick(() => note('a tick'));
try {
  fatal(first);
  note('the caller');
} finally {
  note('finally');
}
