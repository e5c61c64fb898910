export * from './clock.ts';
export * from './environment.ts';
export * from './exit.ts';
export * from './files.ts';
export * from './key-value-store.ts';
export * from './logger.ts';
export * from './metrics.ts';
export * from './whole-file.ts';
