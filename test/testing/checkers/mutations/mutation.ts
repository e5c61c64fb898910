/**
 * What could go wrong, one defect at a time: each plants it into a clean history, or says that this one has no place for it.
 * Conditions are as weak as the law allows, so that a rule that looks at too little is found out.
 */
import type { AnomalyKind } from '../../../../src/testing/checkers/index.ts';
import type { Draft } from '../draft.ts';

/** What histories a defect wants; absent: none that lost more than they must bear. */
export type Wish = 'lossy' | 'doubted';

export type Row = readonly [
  kind: AnomalyKind,
  name: string,
  /** False: there is no place for it here. */
  plant: (draft: Draft) => boolean,
  wants?: Wish,
];
