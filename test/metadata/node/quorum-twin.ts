/** A quorum of any number of nodes whose log is one array: who leads and what is committed is the test's to say. */
import { NONE } from '../../../src/base/index.ts';
import type { ControllerRaft } from '../../../src/metadata/index.ts';
import type { Entry, QuorumListener, QuorumStatus } from '../../../src/raft/index.ts';
import type { Scheduler } from '../../../src/testing/twins/index.ts';
import { CLUSTER } from '../controller/fixture.ts';

export class QuorumTwin {
  readonly log: Entry[] = [];
  leaderId = NONE;
  epoch = 0;
  highWatermark = 0;
  /** False: entries stay uncommitted until it is set, and something is appended. */
  commits = true;
  /** True: whoever appends next finds out by it that nobody has heard it for long, and leads no more. */
  deposes = false;
  readonly #scheduler: Scheduler;
  readonly #listeners = new Map<number, { listener: QuorumListener; delivered: number }>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  node(nodeId: number): ControllerRaft {
    return {
      status: () => this.#status(nodeId),
      append: (epoch, payload) => {
        if (this.leaderId !== nodeId || epoch !== this.epoch) return { kind: 'not-leader' };
        const offset = this.log.push({ offset: this.log.length, epoch, kind: 'data', payload }) - 1;
        this.#commitSoon();
        if (this.deposes) this.elect(NONE);
        return { kind: 'appended', offset };
      },
      subscribe: (listener) => {
        this.#listeners.set(nodeId, { listener, delivered: 0 });
        this.#commitSoon();
        return () => this.#listeners.delete(nodeId);
      },
    };
  }

  /** `nodeId` begins to lead; what was not committed is gone. -1: nobody leads. */
  elect(nodeId: number): void {
    if (nodeId === NONE) this.deposes = false;
    const [old, oldEpoch] = [this.leaderId, this.epoch];
    this.epoch += 1;
    this.leaderId = nodeId;
    this.#listeners.get(old)?.listener.handleNotLeading(oldEpoch);
    this.log.length = this.highWatermark;
    if (nodeId === NONE) return;
    this.log.push({
      offset: this.log.length,
      epoch: this.epoch,
      kind: 'control',
      payload: new Uint8Array(1),
    });
    this.#deliver();
    this.#listeners.get(nodeId)?.listener.handleLeading(this.epoch);
    this.#commitSoon();
  }

  commit(): void {
    this.highWatermark = this.log.length;
    this.#deliver();
  }

  #commitSoon(): void {
    this.#scheduler.after(1, () => {
      if (this.commits && this.leaderId !== NONE) this.commit();
      else this.#deliver();
    });
  }

  #deliver(): void {
    for (const to of [...this.#listeners.values()]) {
      const entries = this.log.slice(to.delivered, this.highWatermark);
      to.delivered = Math.max(to.delivered, this.highWatermark);
      if (entries.length > 0) to.listener.handleCommit(entries);
    }
  }

  #status(nodeId: number): QuorumStatus {
    const leader =
      this.leaderId === NONE ? {} : { leaderEndpoint: { host: 'localhost', port: 9000 + this.leaderId } };
    return {
      role: this.leaderId === nodeId ? 'leader' : 'follower',
      nodeId,
      directoryId: CLUSTER,
      clusterId: CLUSTER,
      epoch: this.epoch,
      leaderId: this.leaderId,
      ...leader,
      highWatermark: this.highWatermark,
      quorumHighWatermark: this.highWatermark,
      logEndOffset: this.log.length,
      voters: [],
    };
  }
}
