export * from './clock.ts';
export * from './environment.ts';
export * from './exit.ts';
export * from './files.ts';
export * from './pino-logger.ts';
export * from './prom-metrics.ts';
export * from './random.ts';
