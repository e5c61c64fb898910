/** The replica fetch streams this broker serves: one per follower, the newest. */
import { ApiError, type NodeId } from '../../base/index.ts';
import type { CallContext, ReplicaFetchReply, ReplicaFetchRequest, Sink } from '../../rpc/api/index.ts';
import { FollowerSession, type FollowerSessionHost } from './follower-session.ts';
import { FOLLOWER_SESSIONS_MAX } from './limits.ts';
import type { FollowerIdentity } from './partition.ts';

type Options = Omit<FollowerSessionHost, 'handleSessionStart' | 'handleSessionEnd'>;

export class FollowerSessions {
  readonly #host: FollowerSessionHost;
  readonly #sessions = new Set<FollowerSession>();
  readonly #byBroker = new Map<NodeId, { readonly session: FollowerSession; readonly brokerEpoch: number }>();

  constructor(options: Options) {
    this.#host = {
      ...options,
      handleSessionStart: (session, from) => this.#start(session, from),
      handleSessionEnd: (session) => this.#end(session),
    };
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Throws RESOURCE_EXHAUSTED when too many streams are open. */
  open(replies: Sink<ReplicaFetchReply>, call: CallContext): Sink<ReplicaFetchRequest> {
    if (this.#sessions.size >= FOLLOWER_SESSIONS_MAX)
      throw new ApiError('RESOURCE_EXHAUSTED', `at most ${FOLLOWER_SESSIONS_MAX} replica fetch streams`);
    const session = new FollowerSession(this.#host, replies);
    this.#sessions.add(session);
    call.signal.addEventListener('abort', () => session.end(), { once: true });
    return session;
  }

  close(): void {
    for (const session of [...this.#sessions]) session.end();
  }

  /** A follower that opens another stream has given up the one before; an older incarnation has nothing to say. */
  #start(session: FollowerSession, { brokerId, brokerEpoch }: FollowerIdentity): void {
    const before = this.#byBroker.get(brokerId);
    if (before !== undefined && before.brokerEpoch > brokerEpoch)
      throw new ApiError(
        'STALE_BROKER_EPOCH',
        `broker ${brokerId} fetches with epoch ${before.brokerEpoch} by now`,
      );
    this.#byBroker.set(brokerId, { session, brokerEpoch });
    before?.session.end();
  }

  #end(session: FollowerSession): void {
    this.#sessions.delete(session);
    for (const [brokerId, newest] of this.#byBroker)
      if (newest.session === session) this.#byBroker.delete(brokerId);
  }
}
