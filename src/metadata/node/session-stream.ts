/**
 * The server's end of one broker's session stream: heartbeats in, replies out, and news of its end, once.
 *
 * A stream belongs to the broker of its first heartbeat. Its identity is what BrokerSessions knows a connection by.
 */
import { ApiError, type NodeId } from '../../base/index.ts';
import type { BrokerHeartbeat, BrokerHeartbeatReply, CallContext, Sink } from '../../rpc/api/index.ts';

export interface SessionStreamHandler {
  handleHeartbeat(stream: SessionStream, heartbeat: BrokerHeartbeat): Promise<BrokerHeartbeatReply>;
  handleEnd(stream: SessionStream): void;
}

/** Heartbeats of one stream that wait for their reply; a broker sends one at a time and a few when its state moves. */
const UNANSWERED_MAX = 64;

export class SessionStream implements Sink<BrokerHeartbeat> {
  readonly #replies: Sink<BrokerHeartbeatReply>;
  readonly #handler: SessionStreamHandler;
  #brokerId: NodeId | undefined;
  #unanswered = 0;
  #isEnded = false;

  constructor(replies: Sink<BrokerHeartbeatReply>, call: CallContext, handler: SessionStreamHandler) {
    this.#replies = replies;
    this.#handler = handler;
    call.signal.addEventListener('abort', () => this.end(), { once: true });
  }

  /** Of the first heartbeat; undefined before it. */
  get brokerId(): NodeId | undefined {
    return this.#brokerId;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  send(heartbeat: BrokerHeartbeat): boolean {
    if (this.#isEnded) return false;
    this.#brokerId ??= heartbeat.brokerId;
    if (heartbeat.brokerId !== this.#brokerId) {
      this.end(
        new ApiError('INVALID_REQUEST', `a stream of broker ${this.#brokerId} is for that broker only`),
      );
      return false;
    }
    if (this.#unanswered >= UNANSWERED_MAX) {
      this.end(new ApiError('RESOURCE_EXHAUSTED', `${UNANSWERED_MAX} heartbeats are unanswered already`));
      return false;
    }
    this.#unanswered += 1;
    void this.#answer(heartbeat);
    return true;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  end(error?: Error): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#replies.end(error);
    this.#handler.handleEnd(this);
  }

  async #answer(heartbeat: BrokerHeartbeat): Promise<void> {
    const reply = await this.#handler.handleHeartbeat(this, heartbeat);
    this.#unanswered -= 1;
    if (!this.#isEnded) this.#replies.send(reply);
  }
}
