/** Nodes of one quorum in one process: real stores over twins, calls by direct reference, virtual time. */
import { EnvironmentError, type NodeId, SeededRandom, uuidFromBytes } from '../../../src/base/index.ts';
import {
  DEFAULT_QUORUM_TIMEOUTS,
  type Entry,
  formatQuorumStore,
  openQuorumStore,
  openRaftNode,
  type QuorumListener,
  type QuorumPeer,
  type RaftNode,
  type VoterKey,
} from '../../../src/raft/index.ts';
import { createTestEnvironment, Scheduler, type TestEnvironment } from '../../../src/testing/twins/index.ts';

const DIRECTORY = '/metadata';

export class Recorder implements QuorumListener {
  readonly entries: Entry[] = [];
  readonly told: string[] = [];
  handleCommit(entries: readonly Entry[]): void {
    this.entries.push(...entries);
  }
  handleLeaderChange({ epoch, leaderId }: { epoch: number; leaderId: number }): void {
    this.told.push(`leader ${leaderId} of ${epoch}`);
  }
  handleLeading(epoch: number): void {
    this.told.push(`leading ${epoch} at ${this.entries.length}`);
  }
  handleNotLeading(epoch: number): void {
    this.told.push(`not leading ${epoch}`);
  }
  get data(): string[] {
    return this.entries
      .filter(({ kind }) => kind === 'data')
      .map(({ payload }) => Buffer.from(payload).toString());
  }
}

export class QuorumFixture {
  readonly scheduler = new Scheduler({ random: new SeededRandom(11) });
  readonly nodes = new Map<NodeId, RaftNode>();
  readonly environments = new Map<NodeId, TestEnvironment>();
  readonly voterIds: readonly NodeId[];

  constructor(voters = 3) {
    this.voterIds = Array.from({ length: voters }, (_, index) => index + 1);
  }

  static id(n: number): string {
    return uuidFromBytes(new Uint8Array(16).fill(n));
  }

  /** Formats an empty directory for node `id`; `disk` tells its directories apart. */
  async format(id: NodeId, voters: readonly VoterKey[] = [], disk = id): Promise<void> {
    const environment = createTestEnvironment({ seed: id, scheduler: this.scheduler, name: `node${id}` });
    this.environments.set(id, environment);
    const { files, stores } = environment;
    await formatQuorumStore({
      directory: DIRECTORY,
      clusterId: QuorumFixture.id(100 + id),
      directoryId: QuorumFixture.id(disk),
      nodeId: id,
      voters,
      files,
      stores,
    });
  }

  async start(id: NodeId, role: 'voter' | 'observer' = 'voter'): Promise<RaftNode> {
    const environment = this.environment(id);
    const { files, stores } = environment;
    const opening = await openQuorumStore({ directory: DIRECTORY, files, stores });
    if (opening.kind !== 'open') throw new Error(`cannot open the store of ${id}: ${opening.kind}`);
    const node = await openRaftNode({
      nodeId: id,
      store: opening.store,
      environment,
      timeouts: DEFAULT_QUORUM_TIMEOUTS,
      voters: this.voterIds.map((voter) => ({ id: voter, endpoint: { host: `n${voter}`, port: voter } })),
      peers: (peer) => this.#peer(peer),
      role,
      advertised: { host: `n${id}`, port: id },
    });
    this.nodes.set(id, node);
    return node;
  }

  environment(id: NodeId): TestEnvironment {
    const environment = this.environments.get(id);
    if (environment === undefined) throw new Error(`node ${id} is not formatted`);
    return environment;
  }

  /** Formats and starts every voter. */
  async startAll(): Promise<RaftNode[]> {
    const nodes: RaftNode[] = [];
    for (const id of this.voterIds) {
      await this.format(id);
      nodes.push(await this.start(id));
    }
    return nodes;
  }

  async stop(id: NodeId, graceful = false): Promise<void> {
    const closing = this.nodes.get(id)?.close({ graceful, timeoutMs: 5000 }) ?? Promise.resolve();
    await this.scheduler.finish(closing);
    this.nodes.delete(id);
    this.environments.set(id, this.environment(id).kill());
  }

  async leader(): Promise<RaftNode> {
    const find = () => [...this.nodes.values()].find((node) => node.status().role === 'leader');
    await this.until(() => find() !== undefined, 'a leader');
    return find() as RaftNode;
  }

  async until(condition: () => boolean, what: string, limitMs = 20_000): Promise<void> {
    if (!(await this.scheduler.runUntil(condition, limitMs))) throw new Error(`never happened: ${what}`);
  }

  #peer(id: NodeId): QuorumPeer {
    const hop = () => new Promise<void>((resolve) => this.scheduler.after(1, resolve));
    const call = async <T>(use: (service: RaftNode['service']) => Promise<T>): Promise<T> => {
      await hop();
      const node = this.nodes.get(id);
      if (node === undefined) throw new EnvironmentError('unreachable', `node ${id}`, 'connection refused');
      const reply = await use(node.service).catch(() => {
        throw new EnvironmentError('disconnected', `node ${id}`, 'connection reset');
      });
      await hop();
      return reply;
    };
    return {
      identify: (request) => call((service) => service.identify(request, {})),
      vote: (request) => call((service) => service.vote(request, {})),
      beginQuorumEpoch: (request) => call((service) => service.beginQuorumEpoch(request, {})),
      endQuorumEpoch: (request) => call((service) => service.endQuorumEpoch(request, {})),
      fetch: (request) => call((service) => service.fetch(request, {})),
    };
  }
}
