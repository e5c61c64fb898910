export { createMemoryNetwork, type MemoryNetwork, type MemoryNetworkOptions } from './network.ts';
