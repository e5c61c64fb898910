export type { ControllerConfig } from './controller/config.ts';
export * from './image/index.ts';
export * from './loader/index.ts';
export * from './node/index.ts';
export * from './records/index.ts';
