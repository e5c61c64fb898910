export * from './driver.ts';
export * from './listener.ts';
export * from './peers.ts';
export * from './ports.ts';
export * from './raft-node.ts';
export * from './service.ts';
export * from './status.ts';
