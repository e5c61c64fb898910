/**
 * The follower's end of one replica fetch stream: opens it, numbers the frames, matches replies, notices silence, and makes
 * it anew after a break.
 *
 * A fetch is normally parked at the leader; a second one may be sent to add what cannot wait, and releases the first.
 * Backoff between attempts grows from 20-40 ms to a second, with jitter, and starts over with the first reply.
 */
import { assert, EnvironmentError, NONE, type NodeId, type Random } from '../../base/index.ts';
import type { Timer, Timers } from '../../env/index.ts';
import type { Connection, ReplicaFetchReply, ReplicaFetchRequest, Sink } from '../../rpc/api/index.ts';

export interface LeaderStreamOptions {
  readonly leaderId: NodeId;
  readonly timers: Timers;
  readonly random: Random;
  /** Longest silence of the leader while a fetch is with it. */
  readonly silenceMaxMs: number;
  readonly connect: (leaderId: NodeId) => Connection;
  readonly handleOpen: () => void;
  readonly handleReply: (reply: ReplicaFetchReply) => void;
  readonly handleBreak: (error: Error | undefined) => void;
}

export type Frame = Pick<ReplicaFetchRequest, 'partitions' | 'forget' | 'ack'>;
type FrameDefaults = Omit<ReplicaFetchRequest, keyof Frame | 'correlationId'>;

/** One parked, one that adds to it. */
const IN_FLIGHT_MAX = 2;
const BACKOFF_START_MS = 20;
const BACKOFF_MAX_MS = 1000;

export class LeaderStream {
  readonly #options: LeaderStreamOptions;
  #requests: Sink<ReplicaFetchRequest> | undefined;
  /** Tells streams apart: what an old one still delivers is nobody's. */
  #generation = 0;
  #correlationId = 0;
  #inFlight: number[] = [];
  #failures = 0;
  #reconnect: Timer | undefined;
  #watchdog: Timer | undefined;
  #closed = false;

  constructor(options: LeaderStreamOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#requests !== undefined;
  }

  get inFlightCount(): number {
    return this.#inFlight.length;
  }

  get hasRoom(): boolean {
    return this.isOpen && this.#inFlight.length < IN_FLIGHT_MAX;
  }

  /** Opens the stream unless it is open or an attempt is due. */
  open(): void {
    if (this.#closed || this.isOpen || this.#reconnect !== undefined) return;
    const generation = ++this.#generation;
    const current = (): boolean => generation === this.#generation;
    const replies: Sink<ReplicaFetchReply> = {
      send: (reply) => {
        if (current()) this.#handleReply(reply);
        return true;
      },
      drained: () => Promise.resolve(),
      end: (error) => {
        if (current()) this.#break(error);
      },
    };
    try {
      const requests = this.#options.connect(this.#options.leaderId).replica.replicaFetch(replies, {});
      // It may have ended inside the call.
      if (!current()) return;
      this.#requests = requests;
    } catch (error) {
      this.#break(error instanceof Error ? error : new EnvironmentError('other', 'replica', String(error)));
      return;
    }
    this.#correlationId = 0;
    this.#options.handleOpen();
  }

  /** Returns the correlation id of the frame; an ack has the one of the fetch before it. */
  send(frame: Frame, defaults: FrameDefaults): number {
    assert(this.#requests !== undefined, 'a frame needs an open stream');
    assert(frame.ack || this.hasRoom, 'few fetches are in flight', { inFlight: this.#inFlight.length });
    if (!frame.ack) {
      this.#correlationId++;
      this.#inFlight.push(this.#correlationId);
      this.#watch();
    }
    const correlationId = this.#correlationId;
    this.#requests.send({ ...defaults, ...frame, correlationId });
    return correlationId;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reconnect?.cancel();
    this.#drop();
  }

  #handleReply(reply: ReplicaFetchReply): void {
    const expected = this.#inFlight.shift();
    if (reply.correlationId !== (expected ?? NONE)) {
      const found = `reply to ${reply.correlationId} where ${expected ?? 'none'} was due`;
      this.#break(new EnvironmentError('other', 'replica fetch', found));
      return;
    }
    this.#failures = 0;
    this.#watch();
    this.#options.handleReply(reply);
  }

  #watch(): void {
    this.#watchdog?.cancel();
    this.#watchdog = undefined;
    if (this.#inFlight.length === 0) return;
    const { timers, silenceMaxMs, leaderId } = this.#options;
    this.#watchdog = timers.after(silenceMaxMs, () =>
      this.#break(
        new EnvironmentError('deadline-exceeded', `broker ${leaderId}`, `silent for ${silenceMaxMs} ms`),
      ),
    );
  }

  #break(error: Error | undefined): void {
    if (this.#closed) return;
    this.#drop(error);
    const { timers, random } = this.#options;
    const baseMs = BACKOFF_START_MS * 2 ** Math.min(this.#failures++, 10);
    this.#reconnect = timers.after(Math.min(BACKOFF_MAX_MS, baseMs * (1 + random.float())), () => {
      this.#reconnect = undefined;
      this.open();
    });
    this.#options.handleBreak(error);
  }

  #drop(error?: Error): void {
    this.#generation++;
    this.#watchdog?.cancel();
    this.#watchdog = undefined;
    this.#inFlight = [];
    const requests = this.#requests;
    this.#requests = undefined;
    requests?.end(error);
  }
}
