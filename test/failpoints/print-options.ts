/** Prints what a seed draws; with points inserted, or without. */
import { drawOptions } from '../../src/testing/sim/cluster/options.ts';

process.stdout.write(JSON.stringify(drawOptions(Number(process.argv[2]))));
