/** One core, spoken to by hand: `step` in, effects out, saves completed on demand. */
import { type NodeId, SeededRandom } from '../../../src/base/index.ts';
import {
  type CoreOptions,
  DEFAULT_QUORUM_TIMEOUTS,
  type Effect,
  type Entry,
  type HardState,
  type Input,
  type QuorumAnswer,
  type QuorumFetchRequest,
  type QuorumRequest,
  RaftCore,
  type StoredLog,
  type VoteRequest,
  type VoterKey,
} from '../../../src/raft/core/index.ts';

export const T = DEFAULT_QUORUM_TIMEOUTS;
export const CLUSTER = 'cluster';

export function key(id: NodeId, directoryId = `dir-${id}`): VoterKey {
  return { id, directoryId };
}

export function entry(offset: number, epoch: number, text = `${offset}@${epoch}`): Entry {
  return { offset, epoch, kind: 'data', payload: Buffer.from(text) };
}

/** A stored log by the epochs of its entries: `logOf(1, 1, 2)` has three. */
export function logOf(...epochs: number[]): StoredLog {
  const starts = epochs.flatMap((epoch, startOffset) =>
    epochs[startOffset - 1] === epoch ? [] : [{ epoch, startOffset }],
  );
  return { endOffset: epochs.length, epochs: starts };
}

type Of<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;

export class CoreFixture {
  readonly core: RaftCore;
  nowMs = 1000;
  /** Everything that came out and was not taken. */
  effects: Effect[] = [];
  #callId = 0;

  constructor(
    options: {
      id?: NodeId;
      voters?: number;
      hard?: Partial<HardState>;
      log?: StoredLog;
      save?: boolean;
    } & Partial<Pick<CoreOptions, 'self' | 'tailLimits'>> = {},
  ) {
    const { id = 1, voters = 3, hard = {}, log = logOf(), self = key(id), save = true, ...rest } = options;
    const ids = Array.from({ length: voters }, (_, index) => index + 1);
    const hardState = { epoch: 0, leaderId: -1, voters: ids.map((n) => key(n)), clusterId: CLUSTER, ...hard };
    const endpoints = new Map(ids.map((n) => [n, { host: `n${n}`, port: n }]));
    const random = new SeededRandom(7);
    this.core = new RaftCore(
      { self, hardState, log, timeouts: T, random, endpoints, syncLog: true, ...rest },
      this.nowMs,
    );
    this.step({ kind: 'tick' });
    if (save) this.saveAll();
  }

  step(input: Input): this {
    this.effects.push(...this.core.step(input, this.nowMs));
    return this;
  }

  /** Lets time pass to `ms` from now, ticking at each deadline on the way. */
  wait(ms: number): this {
    const endMs = this.nowMs + ms;
    while (this.core.nextDeadlineMs <= endMs) {
      this.nowMs = Math.max(this.nowMs, this.core.nextDeadlineMs);
      this.step({ kind: 'tick' });
      this.saveHardState();
    }
    this.nowMs = endMs;
    return this.step({ kind: 'tick' });
  }

  take<Kind extends Effect['kind']>(kind: Kind): Of<Kind>[] {
    const taken = this.effects.filter((effect) => effect.kind === kind) as Of<Kind>[];
    this.effects = this.effects.filter((effect) => effect.kind !== kind);
    return taken;
  }

  /** Completes saves of the hard state until none is outstanding. */
  saveHardState(): this {
    for (let saves = this.take('save-hard-state'); saves.length > 0; saves = this.take('save-hard-state'))
      for (const { token } of saves) this.step({ kind: 'persisted', token });
    return this;
  }

  /** Completes every write of the log that is outstanding, and what follows from it. */
  saveLog(): this {
    for (let writes = this.take('write-log'); writes.length > 0; writes = this.take('write-log'))
      for (const { token } of writes) this.step({ kind: 'persisted', token });
    return this;
  }

  saveAll(): this {
    return this.saveHardState().saveLog();
  }

  /** Requests of `kind` that left since they were last taken. */
  sent<Kind extends QuorumRequest['kind']>(kind: Kind) {
    const all = this.take('send');
    const wanted = all.filter(({ message }) => message.kind === kind);
    this.effects.push(...all.filter(({ message }) => message.kind !== kind));
    return wanted.map(({ to, requestId, message }) => ({
      to,
      requestId,
      request: message.request as Extract<QuorumRequest, { kind: Kind }>['request'],
    }));
  }

  /** Asks and gives the call's id; see `answered`. */
  ask(message: QuorumRequest): number {
    const callId = ++this.#callId;
    this.step({ kind: 'request', callId, message });
    return callId;
  }

  /** The answer to a call, if it has left. */
  answered(callId: number): QuorumAnswer['reply'] | undefined {
    return this.effects.find((effect) => effect.kind === 'reply' && effect.callId === callId)?.kind ===
      'reply'
      ? this.effects.flatMap((effect) =>
          effect.kind === 'reply' && effect.callId === callId ? [effect.answer.reply] : [],
        )[0]
      : undefined;
  }

  /** Asks, completes the saves it needs, and gives the answer. */
  call(message: QuorumRequest): QuorumAnswer['reply'] | undefined {
    const callId = this.ask(message);
    this.saveHardState();
    return this.answered(callId);
  }

  vote(request: Partial<VoteRequest>) {
    const defaults = { clusterId: CLUSTER, voter: key(1), candidate: key(2), candidateEpoch: 1 };
    const position = { lastEpoch: 0, lastOffset: 0, preVote: false };
    return this.call({ kind: 'vote', request: { ...defaults, ...position, ...request } });
  }

  /** A fetch of replica `id`; the call's id. */
  fetch(id: NodeId, request: Partial<QuorumFetchRequest>): number {
    const currentLeaderEpoch = this.core.epoch;
    const defaults = { clusterId: CLUSTER, replica: key(id), currentLeaderEpoch, fetchOffset: 0 };
    const rest = { lastFetchedEpoch: 0, highWatermark: -1, maxWaitMs: 500, maxBytes: 1_000_000 };
    return this.ask({ kind: 'fetch', request: { ...defaults, ...rest, ...request } });
  }

  /** Answers the vote requests that left to voters of `from`, all alike. */
  answerVotes(voteGranted: boolean, from: readonly NodeId[] = [2, 3, 4, 5]): this {
    for (const { requestId, request } of this.#takeVotes(from)) {
      const reply = {
        error: 'NONE',
        leaderId: -1,
        leaderEpoch: request.candidateEpoch,
        voteGranted,
      } as const;
      this.step({ kind: 'reply', requestId, answer: { kind: 'vote', reply } });
    }
    return this.saveHardState();
  }

  /** Lets the vote requests fail that left to voters of `from`, as to processes that died. */
  failVotes(from: readonly NodeId[]): this {
    for (const { requestId } of this.#takeVotes(from))
      this.step({ kind: 'failed', requestId, disconnected: true });
    return this;
  }

  #takeVotes(from: readonly NodeId[]) {
    const others = this.take('send').filter((send) => {
      const isWanted = send.message.kind === 'vote' && from.includes(send.to);
      if (isWanted) this.effects.push(send);
      return !isWanted;
    });
    const wanted = this.sent('vote');
    this.effects.push(...others);
    return wanted;
  }

  /** Makes it the leader of the next epoch by everybody's vote; its leader change is durable. */
  lead(): this {
    this.wait(4000);
    for (let rounds = 0; this.core.role !== 'leader' && rounds < 4; rounds++) this.answerVotes(true);
    return this.saveAll();
  }

  /** Makes it follow `leaderId` of `epoch`. */
  follow(leaderId: NodeId, epoch: number): this {
    const leaderEndpoint = { host: `n${leaderId}`, port: leaderId };
    const request = { clusterId: CLUSTER, voter: key(1), leaderId, leaderEpoch: epoch, leaderEndpoint };
    this.call({ kind: 'begin-epoch', request });
    return this;
  }

  /** Answers the fetch in flight. */
  answerFetch(reply: {
    entries?: readonly Entry[];
    highWatermark?: number;
    divergingEpoch?: { epoch: number; endOffset: number };
  }): this {
    const [fetch] = this.sent('fetch');
    if (fetch === undefined) throw new Error('no fetch is in flight');
    const { epoch, leaderId } = this.core;
    const common = {
      error: 'NONE',
      leaderId,
      leaderEpoch: epoch,
      highWatermark: -1,
      logStartOffset: 0,
    } as const;
    const answer = { kind: 'fetch', reply: { ...common, entries: [], ...reply } } as const;
    return this.step({ kind: 'reply', requestId: fetch.requestId, answer });
  }
}
