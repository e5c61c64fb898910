/**
 * What the log costs, as ratios to a bare loop over the file system in the same process, for machines differ.
 * Run: node bench/log.ts [--quick] [records | append | acknowledge | read | recover]...   (BENCH_DIR: on which disk)
 */
import { argv, env } from 'node:process';
import { describeMachine } from './figures.ts';
import { benchAcknowledge } from './log/acknowledge.ts';
import { benchAppend } from './log/append.ts';
import { benchRead } from './log/read.ts';
import { benchRecords } from './log/records.ts';
import { benchRecover } from './log/recover.ts';
import { inBenchDirectory, ROUNDS, root } from './log/world.ts';

const BENCHES: Readonly<Record<string, () => Promise<void>>> = {
  records: benchRecords,
  append: benchAppend,
  acknowledge: benchAcknowledge,
  read: benchRead,
  recover: benchRecover,
};
const asked = argv.slice(2).filter((name) => name in BENCHES);

console.log(describeMachine());
console.log(
  `medians of ${ROUNDS} rounds after one that does not count, ours and bare in turn; ` +
    `UV_THREADPOOL_SIZE ${env.UV_THREADPOOL_SIZE ?? 'default'}; in ${root}\n`,
);
await inBenchDirectory(async () => {
  for (const [name, bench] of Object.entries(BENCHES))
    if (asked.length === 0 || asked.includes(name)) await bench();
});
