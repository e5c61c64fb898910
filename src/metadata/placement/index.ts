export * from './striped-placer.ts';
