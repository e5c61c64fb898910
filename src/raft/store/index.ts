export { decodeEntry, entryKey } from './entry-codec.ts';
export * from './format-quorum-store.ts';
export { decodeNewestHardState } from './hard-state-file.ts';
export * from './level-stores.ts';
export * from './open-quorum-store.ts';
export * from './quorum-store.ts';
