export * from './decision.ts';
export * from './machine.ts';
