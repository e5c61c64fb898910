/**
 * The machine of the metadata log with its surroundings: quorum below, promises above, time, chance, and the process's end.
 *
 * Everything that goes wrong inside is a lie about the cluster's state in the making: the process ends, with one status
 * for records that cannot be replayed and one for bugs.
 */
import { ApiError, type MonotonicMs, type Offset, type QuorumEpoch } from '../../base/index.ts';
import type { Environment } from '../../env/index.ts';
import { type EventOutcome, Machine, type MachineEvent, ReplayFailure } from '../../machine/index.ts';
import type { Entry, RaftNode } from '../../raft/index.ts';
import type { BrokerSessions } from '../controller/broker-sessions.ts';
import { type ControllerConfig, RECORDS_MAX } from '../controller/config.ts';
import type { DecideContext, MetadataDecision } from '../controller/context.ts';
import { advance, EMPTY_IMAGE, type MetadataImage, replay } from '../image/image.ts';
import { decodeRecords, encodeRecords } from '../records/codec.ts';
import type { MetadataRecord } from '../records/records.ts';

export type ControllerRaft = Pick<RaftNode, 'status' | 'append' | 'subscribe'>;

export interface ControllerSurroundings {
  readonly raft: ControllerRaft;
  readonly environment: Environment;
  readonly config: ControllerConfig;
}

export type Decide<Reply> = (image: MetadataImage, context: DecideContext) => MetadataDecision<Reply>;

export interface Done<Reply> {
  readonly reply: Reply;
  /** The reply's effects, and all it has seen, are below it and committed. */
  readonly offset: Offset;
}

/** Requests that wait to be decided; more are refused with RESOURCE_EXHAUSTED. */
const QUEUE_MAX = 10_000;
/** Replies that wait for commits; beyond, requests wait undecided. */
const PARKED_MAX = 10_000;

export class ControllerMachine {
  readonly #surroundings: ControllerSurroundings;
  readonly #sessions: BrokerSessions;
  readonly #machine: Machine<MetadataImage, MetadataRecord>;
  #isBroken = false;

  constructor(surroundings: ControllerSurroundings, sessions: BrokerSessions) {
    this.#surroundings = surroundings;
    this.#sessions = sessions;
    const { raft } = surroundings;
    this.#machine = new Machine({
      empty: EMPTY_IMAGE,
      replay,
      advance,
      encode: encodeRecords,
      decode: decodeRecords,
      log: {
        nextOffset: () => raft.status().logEndOffset,
        append: (epoch, payload) => raft.append(epoch, payload),
      },
      queueMax: QUEUE_MAX,
      parkedMax: PARKED_MAX,
      recordsMax: RECORDS_MAX,
    });
  }

  get committed(): MetadataImage {
    return this.#machine.committed;
  }

  get speculative(): MetadataImage {
    return this.#machine.speculative;
  }

  get isLeading(): boolean {
    return this.#machine.isLeading && !this.#isBroken;
  }

  handleCommit(entries: readonly Entry[]): void {
    this.#guard(() => this.#machine.commit(entries, this.#nowMs()));
  }

  /** Decides `first` before anything else of this leadership. */
  lead<Reply>(epoch: QuorumEpoch, first: Decide<Reply>): Promise<Done<Reply>> {
    return this.#promise(Infinity, (event) => this.#machine.lead(epoch, event, this.#nowMs()), first);
  }

  renounce(reason: string): void {
    this.#guard(() => this.#machine.renounce(new ApiError('NOT_CONTROLLER', reason)));
  }

  /**
   * Resolves when the decision's records, and all it has seen, are committed. Rejects with what was decided against it;
   * REQUEST_TIMED_OUT after `timeoutMs`, with an unknown outcome if it was decided; NOT_CONTROLLER without or with the end
   * of leadership; RESOURCE_EXHAUSTED. `committed` is called on commit, also when nobody waits for the promise any more.
   */
  submit<Reply>(
    timeoutMs: number,
    decide: Decide<Reply>,
    committed?: (done: Done<Reply>) => void,
  ): Promise<Done<Reply>> {
    if (!this.isLeading) return Promise.reject(new ApiError('NOT_CONTROLLER', this.notControllerMessage()));
    return this.#promise(timeoutMs, (event) => this.#machine.submit(event, this.#nowMs()), decide, committed);
  }

  /** Who is the active controller, as far as this node knows. */
  notControllerMessage(): string {
    const { nodeId, leaderId, leaderEndpoint } = this.#surroundings.raft.status();
    if (leaderId < 0) return `node ${nodeId} is not the active controller; none is known now`;
    const where = leaderEndpoint === undefined ? '' : ` at ${leaderEndpoint.host}:${leaderEndpoint.port}`;
    return leaderId === nodeId
      ? `node ${nodeId} leads the quorum and is still catching up`
      : `node ${nodeId} is not the active controller; node ${leaderId}${where} is`;
  }

  #promise<Reply>(
    timeoutMs: number,
    start: (event: MachineEvent<MetadataImage, MetadataRecord, Reply>) => void,
    decide: Decide<Reply>,
    committed?: (done: Done<Reply>) => void,
  ): Promise<Done<Reply>> {
    return new Promise((resolve, reject) => {
      const message = `the quorum did not commit it within ${timeoutMs} ms; the outcome is unknown`;
      const timer = Number.isFinite(timeoutMs)
        ? this.#surroundings.environment.timers.after(timeoutMs, () =>
            reject(new ApiError('REQUEST_TIMED_OUT', message)),
          )
        : undefined;
      const complete = (outcome: EventOutcome<Reply>): void => {
        timer?.cancel();
        if (outcome.kind === 'failed') {
          reject(outcome.error);
          return;
        }
        const done = { reply: outcome.reply, offset: outcome.offset };
        committed?.(done);
        resolve(done);
      };
      const event = {
        expiresAtMs: this.#nowMs() + timeoutMs,
        decide: (image: MetadataImage, nextOffset: Offset) => decide(image, this.#context(nextOffset)),
        complete,
      };
      this.#guard(() => start(event));
      if (this.#isBroken) reject(new ApiError('UNKNOWN_SERVER_ERROR'));
    });
  }

  #context(nextOffset: Offset): DecideContext {
    const { raft, environment, config } = this.#surroundings;
    return {
      nowMs: this.#nowMs(),
      random: environment.random,
      nextOffset,
      clusterId: raft.status().clusterId,
      config,
      sessions: this.#sessions,
    };
  }

  #guard(action: () => void): void {
    if (this.#isBroken) return;
    try {
      action();
    } catch (error) {
      this.#isBroken = true;
      const reason = error instanceof ReplayFailure ? 'metadata-replay' : 'bug';
      this.#surroundings.environment.exit.fatal(reason, error);
    }
  }

  #nowMs(): MonotonicMs {
    return this.#surroundings.environment.clock.monotonicMs();
  }
}
