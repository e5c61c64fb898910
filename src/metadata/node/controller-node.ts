/**
 * A controller: stands by or is active, as the quorum decides. The shell around the pure decisions of ../controller.
 *
 * Standing by it replays what is committed, so that it can take over at once. Active, it puts each request through the
 * machine (decide, append, commit, reply) and keeps the brokers' sessions. It owns timers and streams, and nothing that
 * another active controller would miss. Source: KIP-500, KIP-631, Kafka's QuorumController.
 */
import type { NodeId, Offset, QuorumEpoch } from '../../base/index.ts';
import type { Logger, Timer } from '../../env/index.ts';
import type { QuorumListener } from '../../raft/index.ts';
import type {
  AllocateProducerIdsReply,
  AllocateProducerIdsRequest,
  AlterConfigsReply,
  AlterConfigsRequest,
  AlterPartitionReply,
  AlterPartitionRequest,
  AssignReplicasToDirsReply,
  AssignReplicasToDirsRequest,
  BrokerHeartbeat,
  BrokerHeartbeatReply,
  CallContext,
  ControllerService,
  CreateTopicsReply,
  CreateTopicsRequest,
  DeleteTopicsReply,
  DeleteTopicsRequest,
  ImageDigestReply,
  RegisterBrokerReply,
  RegisterBrokerRequest,
  Sink,
} from '../../rpc/api/index.ts';
import {
  BrokerSessions,
  decideActivate,
  decideAllocateProducerIds,
  decideAlterConfigs,
  decideAlterPartition,
  decideAssignDirectories,
  decideCreateTopics,
  decideDeleteTopics,
  decideNoOp,
  decideRegisterBroker,
} from '../controller/index.ts';
import { imageDigest } from '../image/digest.ts';
import type { MetadataImage } from '../image/image.ts';
import {
  ControllerMachine,
  type ControllerSurroundings,
  type Decide,
  type Done,
} from './controller-machine.ts';
import { registerControllerMetrics } from './controller-metrics.ts';
import { MetadataBarrier } from './metadata-barrier.ts';
import { SessionKeeper } from './session-keeper.ts';

export type ControllerNodeOptions = ControllerSurroundings;

/** Part of a request's time that may be spent on waiting for brokers; the rest is for the way back. */
const BARRIER_SHARE = 0.8;

export class ControllerNode implements ControllerService<CallContext>, QuorumListener {
  readonly #options: ControllerNodeOptions;
  readonly #log: Logger;
  readonly #sessions: BrokerSessions;
  readonly #machine: ControllerMachine;
  readonly #barrier: MetadataBarrier;
  readonly #keeper: SessionKeeper;
  #unsubscribe: (() => void) | undefined;
  #idleTimer: Timer | undefined;
  #idleOffset: Offset = 0;

  constructor(options: ControllerNodeOptions) {
    const { environment, config, raft } = options;
    this.#options = options;
    this.#log = environment.logger.child({ module: 'controller', nodeId: raft.status().nodeId });
    this.#sessions = new BrokerSessions(config);
    this.#machine = new ControllerMachine(options, this.#sessions);
    this.#barrier = new MetadataBarrier(environment.timers);
    this.#keeper = new SessionKeeper({
      ...options,
      machine: this.#machine,
      sessions: this.#sessions,
      log: this.#log,
      onContact: () => this.#releaseBarrier(),
    });
    registerControllerMetrics(environment.metrics, this);
  }

  /** Begins to follow the metadata log; becomes active when the quorum says so. */
  start(): void {
    this.#unsubscribe = this.#options.raft.subscribe(this);
  }

  /** Leaves office and ends all streams. The quorum's node goes on: close that afterwards. */
  async close(): Promise<void> {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#leaveOffice(`node ${this.#nodeId} is shutting down`);
  }

  /** What is committed, as known here. */
  image(): MetadataImage {
    return this.#machine.committed;
  }

  /** True while this node takes requests. */
  get isActive(): boolean {
    return this.#machine.isLeading;
  }

  handleCommit(entries: Parameters<QuorumListener['handleCommit']>[0]): void {
    this.#machine.handleCommit(entries);
    this.#releaseBarrier();
  }

  handleLeaderChange(): void {
    // The quorum's status is read when somebody needs to be told who leads.
  }

  handleLeading(epoch: QuorumEpoch): void {
    this.#keeper.start();
    this.#machine.lead(epoch, decideActivate).then(
      ({ reply, offset }) => this.#log.info({ epoch, offset, ...reply }, 'became active controller'),
      (refusal: Error) =>
        this.#log.info({ epoch, reason: refusal.message }, 'left office before it was active'),
    );
    this.#scheduleIdle();
  }

  handleNotLeading(epoch: QuorumEpoch): void {
    this.#log.info({ epoch }, 'no longer active controller');
    this.#leaveOffice(`node ${this.#nodeId} is no longer the active controller`);
  }

  async registerBroker(request: RegisterBrokerRequest): Promise<RegisterBrokerReply> {
    const { brokerId, incarnationId, rack } = request;
    const done = await this.#submit(
      (image, context) => decideRegisterBroker(image, request, context),
      ({ reply, offset }) => {
        const isNewIncarnation = reply.brokerEpoch === offset - 1;
        if (isNewIncarnation) this.#sessions.register(brokerId, this.#nowMs());
        this.#log.info({ brokerId, incarnationId, rack, ...reply, isNewIncarnation }, 'broker registered');
      },
    );
    return done.reply;
  }

  session(replies: Sink<BrokerHeartbeatReply>, call: CallContext): Sink<BrokerHeartbeat> {
    return this.#keeper.open(replies, call);
  }

  async alterPartition(request: AlterPartitionRequest): Promise<AlterPartitionReply> {
    return (await this.#submit((image, context) => decideAlterPartition(image, request, context))).reply;
  }

  async assignReplicasToDirs(request: AssignReplicasToDirsRequest): Promise<AssignReplicasToDirsReply> {
    return (await this.#submit((image, context) => decideAssignDirectories(image, request, context))).reply;
  }

  async allocateProducerIds(request: AllocateProducerIdsRequest): Promise<AllocateProducerIdsReply> {
    return (await this.#submit((image) => decideAllocateProducerIds(image, request))).reply;
  }

  /** Answers when every live broker knows the new topics, or the time for that is up; they exist either way. */
  async createTopics(request: CreateTopicsRequest): Promise<CreateTopicsReply> {
    const startMs = this.#nowMs();
    const timeoutMs = this.#timeoutMs(request.timeoutMs);
    const { reply, offset } = await this.#machine.submit(timeoutMs, (image, context) =>
      decideCreateTopics(image, request, context),
    );
    if (request.validateOnly || reply.topics.every(({ error }) => error !== 'NONE')) return reply;
    for (const { error, ...topic } of reply.topics)
      if (error === 'NONE') this.#log.info(topic, 'topic created');
    await this.#waitForBrokers(offset, startMs + BARRIER_SHARE * timeoutMs);
    return reply;
  }

  /** Answers when every live broker knows, as with creation. */
  async deleteTopics(request: DeleteTopicsRequest): Promise<DeleteTopicsReply> {
    const startMs = this.#nowMs();
    const timeoutMs = this.#timeoutMs(request.timeoutMs);
    const { reply, offset } = await this.#machine.submit(timeoutMs, (image, context) =>
      decideDeleteTopics(image, request, context),
    );
    if (reply.topics.every(({ error }) => error !== 'NONE')) return reply;
    for (const { error, ...topic } of reply.topics)
      if (error === 'NONE') this.#log.info(topic, 'topic deleted');
    await this.#waitForBrokers(offset, startMs + BARRIER_SHARE * timeoutMs);
    return reply;
  }

  async alterConfigs(request: AlterConfigsRequest): Promise<AlterConfigsReply> {
    return (await this.#submit((image, context) => decideAlterConfigs(image, request, context))).reply;
  }

  /** Of the committed image; any controller answers. */
  async imageDigest(): Promise<ImageDigestReply> {
    const image = this.image();
    return { nodeId: this.#nodeId, offset: image.offset, digest: imageDigest(image) };
  }

  /** Nothing out of office: whoever appends may find out by it that nobody has heard it for long, and leads no more. */
  #scheduleIdle(): void {
    const { metadataMaxIdleIntervalMs } = this.#options.config;
    if (metadataMaxIdleIntervalMs === 0 || !this.isActive) return;
    this.#idleOffset = this.#options.raft.status().logEndOffset;
    this.#idleTimer = this.#options.environment.timers.after(metadataMaxIdleIntervalMs, () => {
      if (!this.isActive) return;
      const isIdle = this.#options.raft.status().logEndOffset === this.#idleOffset;
      if (isIdle) this.#machine.submit(metadataMaxIdleIntervalMs, decideNoOp).catch(() => {});
      this.#scheduleIdle();
    });
  }

  #leaveOffice(reason: string): void {
    this.#idleTimer?.cancel();
    this.#machine.renounce(reason);
    this.#barrier.release(Infinity);
    this.#keeper.stop();
  }

  async #waitForBrokers(offset: Offset, deadlineMs: number): Promise<void> {
    if (!this.isActive || this.#lowestActiveOffset() >= offset) return;
    await this.#barrier.wait(offset, Math.max(0, deadlineMs - this.#nowMs()));
  }

  #releaseBarrier(): void {
    if (!this.#barrier.isEmpty) this.#barrier.release(this.#lowestActiveOffset());
  }

  #lowestActiveOffset(): Offset {
    return this.#sessions.lowestActiveOffset(this.#machine.committed);
  }

  #submit<Reply>(decide: Decide<Reply>, committed?: (done: Done<Reply>) => void): Promise<Done<Reply>> {
    return this.#machine.submit(this.#options.config.requestTimeoutMs, decide, committed);
  }

  #timeoutMs(asked: number): number {
    const { requestTimeoutMs } = this.#options.config;
    return asked > 0 ? Math.min(asked, requestTimeoutMs) : requestTimeoutMs;
  }

  get #nodeId(): NodeId {
    return this.#options.raft.status().nodeId;
  }

  #nowMs(): number {
    return this.#options.environment.clock.monotonicMs();
  }
}
