import type { NodeId } from '../../base/index.ts';
import type { Connection } from '../../rpc/api/index.ts';
import { describeTrouble, type VoterProbe } from './quorum-trouble.ts';
import type { QuorumView } from './quorum-view.ts';

/** A voter that does not answer within this counts as unreachable. */
const PROBE_MS = 300;

/** Asks every voter whether it lives and whom it follows; many questions at once share one round. */
export class QuorumDoctor {
  readonly #quorum: QuorumView;
  readonly #connect: (controller: NodeId) => Connection;
  #round: Promise<string> | undefined;

  constructor(quorum: QuorumView, connect: (controller: NodeId) => Connection) {
    this.#quorum = quorum;
    this.#connect = connect;
  }

  /** Why nobody decides, in plain words. Takes at most about PROBE_MS. */
  trouble(): Promise<string> {
    this.#round ??= this.#ask().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  async #ask(): Promise<string> {
    const { voters } = this.#quorum.status();
    if (voters.length === 0) return 'no controller has been reached since this node started';
    return describeTrouble(await Promise.all(voters.map(({ id }) => this.#probe(id))));
  }

  async #probe(nodeId: NodeId): Promise<VoterProbe> {
    const status = this.#quorum.status();
    if (nodeId === status.nodeId) return { nodeId, reachable: true, leaderId: status.leaderId };
    try {
      const reply = await this.#connect(nodeId).quorum.describeQuorum({}, { timeoutMs: PROBE_MS });
      return { nodeId, reachable: true, leaderId: reply.leaderId };
    } catch {
      return { nodeId, reachable: false, leaderId: -1 };
    }
  }
}
