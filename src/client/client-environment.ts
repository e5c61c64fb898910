import type { Environment } from '../env/index.ts';

/** What of the outside a client needs, besides a transport. */
export type ClientEnvironment = Pick<Environment, 'clock' | 'timers' | 'random' | 'logger'>;
