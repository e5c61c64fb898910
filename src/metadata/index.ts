export * from './image/index.ts';
export * from './loader/index.ts';
export * from './records/index.ts';
