import { ENDS, LOSSY } from './ends.ts';
import type { Row } from './mutation.ts';
import { PLACES } from './places.ts';
import { READING } from './reading.ts';
import { LOSSES, VALUES } from './values.ts';

export type { Row, Wish } from './mutation.ts';

export const MUTATIONS: readonly Row[] = [LOSSES, VALUES, PLACES, READING, ENDS, LOSSY].flat();
