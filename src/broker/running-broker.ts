/**
 * A broker, put together: it follows the metadata log, keeps replicas, and answers clients.
 *
 * Publishers in order: metadata cache (who acts later finds the new leaders there), replicas, and last the lifecycle,
 * whose heartbeats claim that everything before it was done.
 */
import { type BrokerEpoch, EnvironmentError, NONE, randomUuid, type Uuid } from '../base/index.ts';
import { type LogManager, type Scrubber, startScrub } from '../log/index.ts';
import { METADATA_VERSION, type MetadataImage } from '../metadata/index.ts';
import type { AdminService, BrokerService, CallContext, ReplicaService } from '../rpc/api/index.ts';
import { BrokerAdmin } from './admin/admin-service.ts';
import { DeleteRecordsService } from './admin/delete-records.ts';
import { ForwardedAdmin } from './admin/forwarded-admin.ts';
import { TopicAutoCreate } from './admin/topic-auto-create.ts';
import type { Broker, BrokerOptions, BrokerStatus, ReplicaView } from './broker.ts';
import { registerBrokerMetrics } from './broker-metrics.ts';
import { ClientService } from './client-service.ts';
import { ControllerChannel } from './controller/controller-channel.ts';
import { QuorumDoctor } from './controller/quorum-doctor.ts';
import { FaultReport } from './flow/fault-report.ts';
import { Forwarder } from './forward/forwarder.ts';
import { Lifecycle } from './lifecycle/lifecycle.ts';
import { ImageDigests } from './metadata-cache/image-digests.ts';
import { MetadataCache } from './metadata-cache/metadata-cache.ts';
import { controllerOf, followMetadata } from './metadata-feed.ts';
import { Peers } from './peers/peers.ts';
import { ProducerIds } from './producer-ids/producer-ids.ts';
import { ReplicaManager } from './replica/index.ts';
import { LogDigests } from './verify/log-digests.ts';

/** A new producer that finds no id in stock waits no longer than this for the controller; then it hears the reason. */
const PRODUCER_ID_WAIT_MS = 5_000;

export class RunningBroker implements Broker {
  readonly broker: BrokerService<CallContext>;
  readonly admin: AdminService<CallContext>;
  readonly replica: ReplicaService<CallContext>;
  readonly #options: BrokerOptions;
  readonly #logs: LogManager;
  readonly #incarnationId: Uuid;
  readonly #cache = new MetadataCache();
  readonly #peers: Peers;
  readonly #forwarder: Forwarder;
  readonly #replicas: ReplicaManager;
  readonly #lifecycle: Lifecycle;
  readonly #digests: ImageDigests;
  readonly #faults: FaultReport;
  readonly #scrub: Scrubber | undefined;
  readonly #abort = new AbortController();
  #unfollow: () => void = () => {};
  #published = false;
  #closing: Promise<void> | undefined;

  constructor(options: BrokerOptions, logs: LogManager) {
    const { environment, raft, transport } = options;
    this.#options = options;
    this.#logs = logs;
    this.#incarnationId = randomUuid(environment.random);
    this.#faults = new FaultReport(environment);
    this.#peers = new Peers({
      transport,
      cache: this.#cache,
      quorum: raft,
      controllerEndpoints: options.controllerEndpoints,
    });
    const doctor = new QuorumDoctor(raft, (id) => this.#peers.controller(id));
    const controller = new ControllerChannel({
      environment,
      controllerId: () => raft.status().leaderId,
      connect: (id) => this.#peers.controller(id),
      trouble: () => doctor.trouble(),
    });
    this.#forwarder = new Forwarder(environment, this.#peers);
    this.#replicas = this.#createReplicas(controller);
    this.#lifecycle = this.#createLifecycle();
    this.#digests = new ImageDigests(options.nodeId, this.#cache);
    const producerIds = this.#createProducerIds(controller);
    this.broker = this.#createClients(controller, producerIds);
    const records = new DeleteRecordsService({
      nodeId: options.nodeId,
      cache: this.#cache,
      replicas: this.#replicas,
      forwarder: this.#forwarder,
      faults: this.#faults,
      closed: () => this.#whyClosed(),
    });
    const logDigests = new LogDigests({
      nodeId: options.nodeId,
      timers: environment.timers,
      peers: this.#peers,
      report: (error, what) => this.#faults.report(error, what),
      findLog: ({ topic, partition }) => this.#replicas.find(topic, partition)?.log,
    });
    this.admin = new BrokerAdmin({
      nodeId: options.nodeId,
      clusterId: options.clusterId,
      properties: options.config.properties,
      cache: this.#cache,
      quorum: raft,
      doctor,
      forwarded: new ForwardedAdmin(controller),
      records,
      logDigests,
      digest: () => this.#digests.get(),
      peers: this.#peers,
    });
    this.replica = {
      replicaFetch: (replies, call) => this.#replicas.replicaFetch(replies, call),
      deleteRecords: (request) => records.deleteRecords(request, { forwarded: true }),
      logDigest: (request, call) => logDigests.answer(request, call),
      imageDigest: () => Promise.resolve(this.#digests.get()),
    };
    this.#scrub = startScrub({
      logs,
      settings: options.config.scrub,
      environment,
      report: (error, what) => this.#faults.report(error, what),
      directory: () => logs.homeDirectory,
    });
    this.#follow();
    this.ready.then(
      () => producerIds.prefetch(),
      () => {},
    );
  }

  get ready(): Promise<void> {
    return this.#lifecycle.ready;
  }

  status(): BrokerStatus {
    const { phase, brokerEpoch, trouble } = this.#lifecycle;
    const status = { phase, brokerEpoch, metadataOffset: this.#cache.image.offset };
    return phase === 'running' ? status : { ...status, trouble };
  }

  image(): MetadataImage {
    return this.#cache.image;
  }

  replicas(): Iterable<ReplicaView> {
    return this.#replicas.all();
  }

  shutdown(options: { readonly controlled: boolean }): Promise<void> {
    this.#closing ??= this.#shutDown(options.controlled && this.#options.config.controlledShutdown);
    return this.#closing;
  }

  #createProducerIds(controller: ControllerChannel): ProducerIds {
    const { nodeId, config } = this.#options;
    return new ProducerIds({
      nodeId,
      brokerEpoch: () => this.#brokerEpoch(),
      controller,
      waitMs: Math.min(config.requestTimeoutMs, PRODUCER_ID_WAIT_MS),
      signal: this.#abort.signal,
    });
  }

  #createClients(controller: ControllerChannel, producerIds: ProducerIds): ClientService {
    const { nodeId, clusterId, environment, raft, config } = this.#options;
    const autoCreate = new TopicAutoCreate(controller, environment.logger, this.#abort.signal);
    const clients = new ClientService({
      nodeId,
      environment,
      cache: this.#cache,
      replicas: this.#replicas,
      forwarder: this.#forwarder,
      faults: this.#faults,
      producerIds,
      inflightBytesMax: config.inflightBytesMax,
      fetchMaxBytes: config.fetchMaxBytes,
      ...(config.autoCreateTopics ? { autoCreate } : {}),
      cluster: () => ({ clusterId, controllerId: raft.status().leaderId }),
      closed: () => this.#whyClosed(),
    });
    registerBrokerMetrics(environment.metrics, {
      status: () => this.status(),
      partitionCount: () => this.#replicas.partitionCount,
      leaderCount: () => this.#leaderCount(),
      inFlightCount: () => clients.inFlightCount,
    });
    return clients;
  }

  #createReplicas(controller: ControllerChannel): ReplicaManager {
    const { nodeId, environment, config } = this.#options;
    return new ReplicaManager({
      nodeId,
      logs: this.#logs,
      environment,
      config,
      alterPartition: (request) =>
        controller.call((service, call) => service.alterPartition(request, call), {
          timeoutMs: config.requestTimeoutMs,
          repeatable: true,
          signal: this.#abort.signal,
        }),
      assignReplicasToDirs: (request) =>
        controller.call((service, call) => service.assignReplicasToDirs(request, call), {
          timeoutMs: config.requestTimeoutMs,
          repeatable: true,
          signal: this.#abort.signal,
        }),
      directoriesFailed: (offline) => this.#lifecycle.directoriesChanged(offline),
      connect: (id) => this.#peers.broker(id, 'replica'),
      brokerEpoch: () => this.#brokerEpoch(),
    });
  }

  #createLifecycle(): Lifecycle {
    const { nodeId, clusterId, rack, environment, config, listeners } = this.#options;
    return new Lifecycle({
      settings: { nodeId, ...config },
      environment,
      registration: {
        clusterId,
        brokerId: nodeId,
        incarnationId: this.#incarnationId,
        listeners,
        ...(rack === undefined ? {} : { rack }),
        features: [METADATA_VERSION],
        previousBrokerEpoch: this.#logs.cleanShutdownEpoch,
      },
      logDirs: () => this.#logs.onlineDirectories,
      connect: ({ nodeId: id }) => this.#peers.controller(id),
      settled: () => this.#replicas.settled(),
    });
  }

  /** The metadata may show this incarnation's registration before the reply to it has come. */
  #brokerEpoch(): BrokerEpoch {
    const own = this.#cache.image.cluster.brokers.get(this.#options.nodeId);
    const shown = own?.incarnationId === this.#incarnationId ? own.epoch : NONE;
    return Math.max(shown, this.#lifecycle.brokerEpoch);
  }

  /** Starts to follow the metadata log and its leaders. */
  #follow(): void {
    const { raft, environment } = this.#options;
    const gate = {
      name: 'gate',
      publish: (): void => {
        this.#published = true;
      },
    };
    this.#unfollow = followMetadata({
      raft,
      environment,
      publishers: [this.#cache, this.#replicas, gate, this.#lifecycle],
      controllerChanged: (controller) => this.#lifecycle.controllerChanged(controller),
      report: (error, what) => this.#faults.report(error, what),
    });
    this.#lifecycle.start();
    this.#lifecycle.controllerChanged(controllerOf(raft.status()));
  }

  #leaderCount(): number {
    let count = 0;
    for (const { state } of this.#replicas.partitions()) if (state.isLeader) count += 1;
    return count;
  }

  #whyClosed(): string | undefined {
    const { nodeId } = this.#options;
    if (this.#abort.signal.aborted) return `broker ${nodeId} is closing; ask another broker`;
    if (!this.#published) return `broker ${nodeId} is starting: ${this.#lifecycle.trouble}; try again`;
    return undefined;
  }

  async #shutDown(controlled: boolean): Promise<void> {
    if (controlled) await this.#lifecycle.shutDown();
    this.#abort.abort(new EnvironmentError('closed', 'broker', 'the broker is closing'));
    this.#unfollow();
    const { brokerEpoch } = this.#lifecycle;
    this.#lifecycle.close();
    this.#forwarder.close();
    try {
      await this.#replicas.close();
      await this.#scrub?.close();
      // A start that never registered leaves the logs as the last clean end did.
      const epoch = brokerEpoch === NONE ? this.#logs.cleanShutdownEpoch : brokerEpoch;
      await this.#logs.close({ brokerEpoch: epoch });
    } finally {
      this.#peers.close();
    }
  }
}
