/** `npm run chaos:record -- a.log b.log`: writes what these runs of chaos printed in the end into docs/RELIABILITY.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { withRuns } from './run-summary.ts';

const PAGE = new URL('../../docs/RELIABILITY.md', import.meta.url);

const { positionals } = parseArgs({ allowPositionals: true });
const logs = positionals.map((path) => readFileSync(path, 'utf8'));
writeFileSync(PAGE, withRuns(readFileSync(PAGE, 'utf8'), logs));
