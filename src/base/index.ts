export * from './assert.ts';
export * from './brands.ts';
export * from './crc32c.ts';
export * from './error-codes.ts';
export * from './errors.ts';
export * from './random.ts';
export * from './topic-partition.ts';
export * from './uuid.ts';
