/**
 * A controller: stands by or is active, as the quorum decides. The shell around the pure decisions of ../controller.
 *
 * Standing by it replays what is committed, so that it can take over at once. Active, it puts each request through the
 * machine (decide, append, commit, reply) and watches the brokers' sessions. It owns timers and streams, and nothing that
 * another active controller would miss. Source: KIP-500, KIP-631, Kafka's QuorumController.
 */
import { ApiError, type NodeId, type Offset, type QuorumEpoch } from '../../base/index.ts';
import type { Logger, Timer } from '../../env/index.ts';
import type { QuorumListener } from '../../raft/index.ts';
import type {
  AllocateProducerIdsReply,
  AllocateProducerIdsRequest,
  AlterConfigsReply,
  AlterConfigsRequest,
  AlterPartitionReply,
  AlterPartitionRequest,
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
import { findIncarnation } from '../controller/broker-epoch.ts';
import {
  BROKERS_MAX,
  BrokerSessions,
  decideActivate,
  decideAllocateProducerIds,
  decideAlterConfigs,
  decideAlterPartition,
  decideCreateTopics,
  decideDeleteTopics,
  decideFenceExpired,
  decideHeartbeat,
  decideNoOp,
  decideRegisterBroker,
  type HeartbeatResult,
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
import { SessionStream } from './session-stream.ts';
import { SessionWatch } from './session-watch.ts';

export type ControllerNodeOptions = ControllerSurroundings;

/** Session streams; more are refused. Twice the brokers, as an old stream may still be there when a new one comes. */
const STREAMS_MAX = 2 * BROKERS_MAX;
/** Part of a request's time that may be spent on waiting for brokers; the rest is for the way back. */
const BARRIER_SHARE = 0.8;

export class ControllerNode implements ControllerService<CallContext>, QuorumListener {
  readonly #options: ControllerNodeOptions;
  readonly #log: Logger;
  readonly #sessions: BrokerSessions;
  readonly #machine: ControllerMachine;
  readonly #barrier: MetadataBarrier;
  readonly #watch: SessionWatch;
  readonly #streams = new Set<SessionStream>();
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
    this.#watch = new SessionWatch({
      environment,
      sessions: this.#sessions,
      image: () => this.#machine.speculative,
      fence: (brokerId) => this.#fence(brokerId),
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
    this.#sessions.restart(this.#machine.committed, this.#nowMs());
    this.#machine.lead(epoch, decideActivate).then(
      ({ reply, offset }) => this.#log.info({ epoch, offset, ...reply }, 'became active controller'),
      (error) => this.#log.warn({ epoch, error }, 'activation failed'),
    );
    this.#watch.start();
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
    const stream = new SessionStream(replies, call, {
      handleHeartbeat: (from, heartbeat) => this.#heartbeat(from, heartbeat),
      handleEnd: (ended) => this.#endSession(ended),
    });
    if (!this.isActive) {
      stream.end(new ApiError('NOT_CONTROLLER', this.#machine.notControllerMessage()));
    } else if (this.#streams.size >= STREAMS_MAX) {
      stream.end(new ApiError('RESOURCE_EXHAUSTED', `${STREAMS_MAX} session streams are open already`));
    } else {
      this.#streams.add(stream);
    }
    return stream;
  }

  async alterPartition(request: AlterPartitionRequest): Promise<AlterPartitionReply> {
    return (await this.#submit((image, context) => decideAlterPartition(image, request, context))).reply;
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

  async #heartbeat(stream: SessionStream, heartbeat: BrokerHeartbeat): Promise<BrokerHeartbeatReply> {
    const { correlationId, brokerId, brokerEpoch, currentMetadataOffset } = heartbeat;
    // Before the queue: a slow controller must not take its brokers for silent ones (KAFKA-15019, KAFKA-17793).
    if (this.isActive && findIncarnation(this.#machine.speculative, brokerId, brokerEpoch) !== undefined) {
      this.#sessions.touch(brokerId, stream, currentMetadataOffset, this.#nowMs());
      this.#releaseBarrier();
    }
    try {
      const { brokerHeartbeatIntervalMs } = this.#options.config;
      const { reply } = await this.#machine.submit(
        brokerHeartbeatIntervalMs / 2,
        (image, context) => decideHeartbeat(image, heartbeat, context),
        (done) => this.#noteBrokerState(brokerId, done.reply, done.offset),
      );
      const { to, isCaughtUp } = reply;
      const isFenced = to === 'fenced' || to === 'shutdown-now';
      return { correlationId, isCaughtUp, isFenced, shouldShutdown: to === 'shutdown-now', error: 'NONE' };
    } catch (error) {
      const { code, message } = error instanceof ApiError ? error : new ApiError('UNKNOWN_SERVER_ERROR');
      const state = { isCaughtUp: false, isFenced: true, shouldShutdown: false };
      return { correlationId, ...state, error: code, errorMessage: message };
    }
  }

  #noteBrokerState(brokerId: NodeId, { from, to }: HeartbeatResult, offset: Offset): void {
    if (from === to) return;
    this.#log.info({ brokerId, from, to }, 'broker changed state');
    if (to === 'controlled-shutdown') this.#sessions.setShutdownOffset(brokerId, offset);
    this.#watch.arm();
  }

  #endSession(stream: SessionStream): void {
    this.#streams.delete(stream);
    const { brokerId } = stream;
    if (brokerId === undefined || !this.isActive) return;
    if (!this.#sessions.disconnect(brokerId, stream, this.#nowMs())) return;
    this.#log.debug({ brokerId }, 'session stream ended');
    this.#watch.arm();
  }

  async #fence(brokerId: NodeId): Promise<void> {
    try {
      const { reply: isFenced } = await this.#machine.submit(Infinity, (image, context) =>
        decideFenceExpired(image, brokerId, context),
      );
      if (isFenced) this.#log.warn({ brokerId }, 'broker fenced: its session ended');
    } catch (error) {
      this.#log.warn({ brokerId, error }, 'broker not fenced');
    }
  }

  #scheduleIdle(): void {
    const { metadataMaxIdleIntervalMs } = this.#options.config;
    if (metadataMaxIdleIntervalMs === 0) return;
    this.#idleOffset = this.#options.raft.status().logEndOffset;
    this.#idleTimer = this.#options.environment.timers.after(metadataMaxIdleIntervalMs, () => {
      if (!this.isActive) return;
      const isIdle = this.#options.raft.status().logEndOffset === this.#idleOffset;
      if (isIdle) this.#machine.submit(metadataMaxIdleIntervalMs, decideNoOp).catch(() => {});
      this.#scheduleIdle();
    });
  }

  #leaveOffice(reason: string): void {
    this.#watch.stop();
    this.#idleTimer?.cancel();
    this.#machine.renounce(reason);
    this.#barrier.release(Infinity);
    const message = this.#machine.notControllerMessage();
    for (const stream of [...this.#streams]) stream.end(new ApiError('NOT_CONTROLLER', message));
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
