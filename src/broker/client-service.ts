/**
 * The public broker service: one method per request, each to the part that answers it, while the broker is open.
 */
import { ApiError } from '../base/index.ts';
import type { Environment } from '../env/index.ts';
import type {
  BrokerService,
  CallContext,
  FetchReply,
  FetchRequest,
  InitProducerIdReply,
  InitProducerIdRequest,
  ListOffsetsReply,
  ListOffsetsRequest,
  MetadataReply,
  MetadataRequest,
  ProduceReply,
  ProduceRequest,
  Sink,
} from '../rpc/api/index.ts';
import type { TopicAutoCreate } from './admin/topic-auto-create.ts';
import { FetchEndpoint } from './fetch/fetch-endpoint.ts';
import { FetchService, type LocalFetch } from './fetch/fetch-service.ts';
import type { FaultReport } from './flow/fault-report.ts';
import type { Forwarder } from './forward/forwarder.ts';
import { describeMetadata, METADATA_TOPICS_MAX } from './metadata-cache/describe-metadata.ts';
import type { MetadataCache } from './metadata-cache/metadata-cache.ts';
import { type LocalOffsets, OffsetsService } from './offsets/list-offsets.ts';
import { ProduceEndpoint } from './produce/produce-endpoint.ts';
import { type LocalAppend, ProduceService } from './produce/produce-service.ts';
import type { ProducerIds } from './producer-ids/producer-ids.ts';

export interface ClientServiceOptions {
  readonly nodeId: number;
  readonly environment: Environment;
  readonly cache: MetadataCache;
  readonly replicas: LocalAppend & LocalFetch & LocalOffsets;
  readonly forwarder: Forwarder;
  readonly faults: FaultReport;
  readonly producerIds: ProducerIds;
  readonly inflightBytesMax: number;
  readonly fetchMaxBytes: number;
  /** Absent: topics are made by hand only. */
  readonly autoCreate?: TopicAutoCreate;
  readonly cluster: () => Pick<MetadataReply, 'clusterId' | 'controllerId'>;
  /** Why requests cannot be answered now; undefined: they can. */
  readonly closed: () => string | undefined;
}

export class ClientService implements BrokerService<CallContext> {
  readonly #options: ClientServiceOptions;
  readonly #produce: ProduceEndpoint;
  readonly #fetch: FetchEndpoint;
  readonly #offsets: OffsetsService;

  constructor(options: ClientServiceOptions) {
    this.#options = options;
    this.#produce = new ProduceEndpoint(new ProduceService(options), options.inflightBytesMax);
    const fetch = new FetchService({ ...options, maxBytes: options.fetchMaxBytes });
    this.#fetch = new FetchEndpoint(fetch, options.fetchMaxBytes);
    this.#offsets = new OffsetsService(options);
  }

  /** Produce requests that wait for their reply. */
  get inFlightCount(): number {
    return this.#produce.inFlightCount;
  }

  async produce(request: ProduceRequest): Promise<ProduceReply> {
    this.#assertOpen();
    return this.#produce.produce(request);
  }

  produceStream(replies: Sink<ProduceReply>, call: CallContext): Sink<ProduceRequest> {
    return this.#closedStream(replies) ?? this.#produce.produceStream(replies, call);
  }

  async fetch(request: FetchRequest, call: CallContext): Promise<FetchReply> {
    this.#assertOpen();
    return this.#fetch.fetch(request, call);
  }

  fetchStream(replies: Sink<FetchReply>, call: CallContext): Sink<FetchRequest> {
    return this.#closedStream(replies) ?? this.#fetch.fetchStream(replies, call);
  }

  async listOffsets(request: ListOffsetsRequest): Promise<ListOffsetsReply> {
    this.#assertOpen();
    return this.#offsets.listOffsets(request);
  }

  async metadata(request: MetadataRequest): Promise<MetadataReply> {
    this.#assertOpen();
    const count = request.topics?.length ?? 0;
    if (count > METADATA_TOPICS_MAX)
      throw new ApiError(
        'INVALID_REQUEST',
        `${count} topics named; at most ${METADATA_TOPICS_MAX} are allowed`,
      );
    const unknown = request.topics?.filter(
      (name) => this.#options.cache.image.topics.find(name) === undefined,
    );
    if (unknown !== undefined && unknown.length > 0) await this.#options.autoCreate?.create(unknown);
    return describeMetadata(this.#options.cache.image, request, this.#options.cluster());
  }

  async initProducerId(_request: InitProducerIdRequest): Promise<InitProducerIdReply> {
    this.#assertOpen();
    return this.#options.producerIds.initProducerId();
  }

  #assertOpen(): void {
    const why = this.#options.closed();
    // Retriable and definite: nothing was done, another broker or a moment later will do.
    if (why !== undefined) throw new ApiError('LEADER_NOT_AVAILABLE', why);
  }

  #closedStream<T>(replies: { end(error?: Error): void }): Sink<T> | undefined {
    const why = this.#options.closed();
    if (why === undefined) return undefined;
    replies.end(new ApiError('LEADER_NOT_AVAILABLE', why));
    return { send: () => true, drained: () => Promise.resolve(), end() {} };
  }
}
