/**
 * When each broker was last heard of: what the active controller knows beside the log, and loses with its office.
 *
 * A session ends by silence (broker.session.timeout.ms after the last contact) or sooner by a broken stream that did not
 * come back (broker.disconnect.grace.ms). A new active controller counts every broker as heard of just now, since none had
 * a chance to speak to it; it saw no stream of those that died with its predecessor break. So once most of the other
 * unfenced brokers have spoken to it, one that has not gets no longer than a stream that broke then would.
 * Whoever is past its time is fenced one at a time, so that each fencing sees the one before.
 * Source: KIP-631; the stream and its grace are ours.
 */
import { type MonotonicMs, NONE, type NodeId, type Offset } from '../../base/index.ts';
import type { BrokerHeartbeat } from '../../rpc/api/index.ts';
import { isActiveBroker } from '../image/cluster.ts';
import type { MetadataImage } from '../image/image.ts';

interface Session {
  contactMs: MonotonicMs;
  /** Of the first heartbeat to this controller; undefined: it has not spoken since this controller is active. */
  heardMs: MonotonicMs | undefined;
  /** The stream it speaks through; undefined: none since this controller is active, or it broke. */
  stream: object | undefined;
  disconnectedMs: MonotonicMs | undefined;
  /** Of the latest heartbeat; a broker counts through all its streams. -1: not heard yet. */
  correlationId: number;
  /** The broker has published everything below; -1: not heard yet. */
  metadataOffset: Offset;
  /** End of the records that moved its leaders away; undefined: not committed yet. */
  shutdownOffset: Offset | undefined;
}

export interface SessionTimeouts {
  readonly brokerSessionTimeoutMs: number;
  readonly brokerDisconnectGraceMs: number;
}

export class BrokerSessions {
  readonly #timeouts: SessionTimeouts;
  /** At most one per registered broker. */
  readonly #sessions = new Map<NodeId, Session>();

  constructor(timeouts: SessionTimeouts) {
    this.#timeouts = timeouts;
  }

  /** This controller becomes active with `image`. Brokers in shutdown have everyone's word to wait for anew. */
  restart(image: MetadataImage, nowMs: MonotonicMs): void {
    this.#sessions.clear();
    for (const { id, inControlledShutdown } of image.cluster.brokers.values())
      this.#sessions.set(id, {
        ...fresh(nowMs),
        shutdownOffset: inControlledShutdown ? image.offset : undefined,
      });
  }

  /** A new incarnation is registered: what was known of the old one is void. */
  register(brokerId: NodeId, nowMs: MonotonicMs): void {
    this.#sessions.set(brokerId, fresh(nowMs));
  }

  remove(brokerId: NodeId): void {
    this.#sessions.delete(brokerId);
  }

  /**
   * A heartbeat of the registered incarnation arrived through `stream`. False, and nothing is noted, when the broker has
   * spoken through a later stream already: streams may overtake one another on the way, and the end of an old one is not
   * the end of the session.
   */
  touch(
    brokerId: NodeId,
    stream: object,
    {
      correlationId,
      currentMetadataOffset,
    }: Pick<BrokerHeartbeat, 'correlationId' | 'currentMetadataOffset'>,
    nowMs: MonotonicMs,
  ): boolean {
    const session = this.#get(brokerId, nowMs);
    if (stream !== session.stream && correlationId < session.correlationId) return false;
    session.contactMs = nowMs;
    session.heardMs ??= nowMs;
    session.stream = stream;
    session.disconnectedMs = undefined;
    session.correlationId = correlationId;
    session.metadataOffset = Math.max(session.metadataOffset, currentMetadataOffset);
    return true;
  }

  /** True when the registered incarnation has spoken to this controller since it is active. */
  isHeard(brokerId: NodeId): boolean {
    return this.#sessions.get(brokerId)?.heardMs !== undefined;
  }

  /** `stream` ended. True when it was the one the broker spoke through. */
  disconnect(brokerId: NodeId, stream: object, nowMs: MonotonicMs): boolean {
    const session = this.#sessions.get(brokerId);
    if (session?.stream !== stream) return false;
    session.stream = undefined;
    session.disconnectedMs = nowMs;
    return true;
  }

  /** True while the registered incarnation is certainly alive: it holds a stream and was heard of in time. */
  isConnected(brokerId: NodeId, nowMs: MonotonicMs): boolean {
    const session = this.#sessions.get(brokerId);
    return session?.stream !== undefined && nowMs < session.contactMs + this.#timeouts.brokerSessionTimeoutMs;
  }

  setShutdownOffset(brokerId: NodeId, offset: Offset): void {
    const session = this.#sessions.get(brokerId);
    if (session !== undefined) session.shutdownOffset = offset;
  }

  shutdownOffset(brokerId: NodeId): Offset | undefined {
    return this.#sessions.get(brokerId)?.shutdownOffset;
  }

  /** Every active broker but `except` has published everything below; Infinity when there is none. */
  lowestActiveOffset(image: MetadataImage, except?: NodeId): Offset {
    let lowest = Infinity;
    for (const id of image.cluster.brokers.keys()) {
      if (id === except || !isActiveBroker(image.cluster, id)) continue;
      lowest = Math.min(lowest, this.#sessions.get(id)?.metadataOffset ?? NONE);
    }
    return lowest;
  }

  /** When the next session ends if nothing is heard; undefined when no broker is unfenced. */
  nextExpiryMs(image: MetadataImage): MonotonicMs | undefined {
    return this.#nextToExpire(image)?.expiresAtMs;
  }

  /** The unfenced broker whose session ended first, or undefined when all are in time. */
  findExpired(image: MetadataImage, nowMs: MonotonicMs): NodeId | undefined {
    const next = this.#nextToExpire(image);
    return next !== undefined && nowMs >= next.expiresAtMs ? next.id : undefined;
  }

  #nextToExpire(image: MetadataImage): { id: NodeId; expiresAtMs: MonotonicMs } | undefined {
    let next: { id: NodeId; expiresAtMs: MonotonicMs } | undefined;
    const awaitedUntilMs = this.#mostHeardMs(image) + this.#timeouts.brokerDisconnectGraceMs;
    for (const { id, fenced } of image.cluster.brokers.values()) {
      const session = fenced ? undefined : this.#sessions.get(id);
      if (session === undefined) continue;
      const expiresAtMs = this.#expiresAtMs(session, awaitedUntilMs);
      if (next === undefined || expiresAtMs < next.expiresAtMs) next = { id, expiresAtMs };
    }
    return next;
  }

  /** When most of the unfenced brokers other than one that has not spoken had spoken; Infinity: they have not. */
  #mostHeardMs(image: MetadataImage): MonotonicMs {
    let others = -1;
    const heard: MonotonicMs[] = [];
    for (const { id, fenced } of image.cluster.brokers.values()) {
      if (fenced) continue;
      others += 1;
      const heardMs = this.#sessions.get(id)?.heardMs;
      if (heardMs !== undefined) heard.push(heardMs);
    }
    heard.sort((a, b) => a - b);
    return heard[Math.floor(others / 2)] ?? Number.POSITIVE_INFINITY;
  }

  #expiresAtMs({ contactMs, heardMs, disconnectedMs }: Session, awaitedUntilMs: MonotonicMs): MonotonicMs {
    const silence = contactMs + this.#timeouts.brokerSessionTimeoutMs;
    if (heardMs === undefined) return Math.min(silence, awaitedUntilMs);
    return disconnectedMs === undefined
      ? silence
      : Math.min(silence, disconnectedMs + this.#timeouts.brokerDisconnectGraceMs);
  }

  #get(brokerId: NodeId, nowMs: MonotonicMs): Session {
    const known = this.#sessions.get(brokerId);
    if (known !== undefined) return known;
    const session = fresh(nowMs);
    this.#sessions.set(brokerId, session);
    return session;
  }
}

function fresh(nowMs: MonotonicMs): Session {
  return {
    contactMs: nowMs,
    heardMs: undefined,
    stream: undefined,
    disconnectedMs: undefined,
    correlationId: NONE,
    metadataOffset: NONE,
    shutdownOffset: undefined,
  };
}
