export * from './format-quorum-store.ts';
export * from './level-stores.ts';
export * from './open-quorum-store.ts';
export * from './quorum-store.ts';
