export * from './quorum-store.ts';
