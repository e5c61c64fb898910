import type { MemoryListener } from './listener.ts';
import type { Session } from './session.ts';

/** One life of a process on the network: once dead it sends and receives nothing any more. */
export class MemoryNode {
  readonly name: string;
  dead = false;
  readonly listeners = new Set<MemoryListener>();
  readonly sessions = new Set<Session>();

  constructor(name: string) {
    this.name = name;
  }
}
