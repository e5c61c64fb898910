export * from './election.ts';
export * from './partition-change.ts';
