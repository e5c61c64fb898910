/**
 * The admin service of a broker: answers what its own metadata shows, sends on what the controller decides.
 */
import { ApiError, EnvironmentError, type NodeId, type Uuid } from '../../base/index.ts';
import type { DescribeQuorumReply, DescribeQuorumRequest } from '../../raft/core/messages.ts';
import type {
  AdminService,
  AlterConfigsReply,
  AlterConfigsRequest,
  CallContext,
  ConfigResource,
  CreateTopicsReply,
  CreateTopicsRequest,
  DeleteRecordsReply,
  DeleteRecordsRequest,
  DeleteTopicsReply,
  DeleteTopicsRequest,
  DescribeClusterReply,
  DescribeConfigsReply,
  DescribeConfigsRequest,
  DescribedConfigs,
  ImageDigestReply,
  LogDigestReply,
  LogDigestRequest,
} from '../../rpc/api/index.ts';
import type { QuorumDoctor } from '../controller/quorum-doctor.ts';
import type { QuorumView } from '../controller/quorum-view.ts';
import { outcomeOf, refusal } from '../flow/outcome.ts';
import type { MetadataCache } from '../metadata-cache/metadata-cache.ts';
import type { Peers } from '../peers/peers.ts';
import type { LogDigests } from '../verify/log-digests.ts';
import type { DeleteRecordsService } from './delete-records.ts';
import { describeCluster } from './describe-cluster.ts';
import { describeBrokerConfigs, describeTopicConfigs, type StaticProperties } from './describe-configs.ts';
import { ADMIN_ITEMS_MAX, type ForwardedAdmin } from './forwarded-admin.ts';

export interface AdminServiceOptions {
  readonly nodeId: NodeId;
  readonly clusterId: Uuid;
  readonly properties: StaticProperties;
  readonly cache: MetadataCache;
  readonly quorum: QuorumView;
  readonly doctor: QuorumDoctor;
  readonly forwarded: ForwardedAdmin;
  readonly records: DeleteRecordsService;
  readonly logDigests: LogDigests;
  readonly digest: () => ImageDigestReply;
  readonly peers: Peers;
}

/** Of a question that another node answers. */
const ASK_TIMEOUT_MS = 3_000;

export class BrokerAdmin implements AdminService<CallContext> {
  readonly #options: AdminServiceOptions;

  constructor(options: AdminServiceOptions) {
    this.#options = options;
  }

  createTopics(request: CreateTopicsRequest, call: CallContext): Promise<CreateTopicsReply> {
    return this.#options.forwarded.createTopics(request, call.signal);
  }

  deleteTopics(request: DeleteTopicsRequest, call: CallContext): Promise<DeleteTopicsReply> {
    return this.#options.forwarded.deleteTopics(request, call.signal);
  }

  deleteRecords(request: DeleteRecordsRequest): Promise<DeleteRecordsReply> {
    return this.#options.records.deleteRecords(request, { forwarded: false });
  }

  logDigest(request: LogDigestRequest, call: CallContext): Promise<LogDigestReply> {
    return this.#options.logDigests.ask(request, call);
  }

  async alterConfigs(request: AlterConfigsRequest, call: CallContext): Promise<AlterConfigsReply> {
    return this.#options.forwarded.alterConfigs(request, call.signal);
  }

  async describeConfigs(request: DescribeConfigsRequest, call: CallContext): Promise<DescribeConfigsReply> {
    if (request.resources.length > ADMIN_ITEMS_MAX)
      throw new ApiError('INVALID_REQUEST', `at most ${ADMIN_ITEMS_MAX} resources in one request`);
    const described = request.resources.map((resource) => this.#describe(resource, call.signal));
    return { resources: await Promise.all(described) };
  }

  async describeCluster(): Promise<DescribeClusterReply> {
    const { cache, quorum, clusterId, peers, digest } = this.#options;
    const { leaderId, voters } = quorum.status();
    const controllers = voters.map(({ id }) => ({
      nodeId: id,
      address: peers.controllerAddress(id) ?? { host: '', port: 0 },
    }));
    return describeCluster(cache.image, { clusterId, controllerId: leaderId, digest: digest() }, controllers);
  }

  /** Asked of the quorum's leader. LEADER_NOT_AVAILABLE with the reason when there is none or it does not answer. */
  async describeQuorum(request: DescribeQuorumRequest, call: CallContext): Promise<DescribeQuorumReply> {
    const { quorum, peers, doctor } = this.#options;
    const { nodeId, leaderId } = quorum.status();
    if (leaderId === nodeId) return quorum.describe();
    if (leaderId >= 0) {
      try {
        const options = { timeoutMs: ASK_TIMEOUT_MS, signal: call.signal };
        const reply = await peers.controller(leaderId).quorum.describeQuorum(request, options);
        if (reply.error === 'NONE') return reply;
      } catch (error) {
        if (!(error instanceof EnvironmentError)) throw error;
      }
    }
    throw new ApiError('LEADER_NOT_AVAILABLE', await doctor.trouble());
  }

  async #describe(resource: ConfigResource, signal: AbortSignal): Promise<DescribedConfigs> {
    const { cache, properties, nodeId } = this.#options;
    if (resource.type === 'topic') return describeTopicConfigs(cache.image, resource.name, properties);
    if (resource.name === '') return describeBrokerConfigs(cache.image, '', properties);
    const asked = Number(resource.name);
    if (!/^\d+$/.test(resource.name) || !Number.isSafeInteger(asked)) {
      const outcome = refusal('INVALID_REQUEST', `a broker is named by its id, not "${resource.name}"`);
      return { ...outcome, ...resource, entries: [] };
    }
    return asked === nodeId
      ? describeBrokerConfigs(cache.image, nodeId, properties)
      : this.#askBroker(asked, resource, signal);
  }

  /** Only a broker itself knows what its configuration file says. */
  async #askBroker(broker: NodeId, resource: ConfigResource, signal: AbortSignal): Promise<DescribedConfigs> {
    const none = refusal('BROKER_NOT_AVAILABLE', `broker ${broker} is not registered`);
    if (!this.#options.cache.image.cluster.brokers.has(broker)) return { ...none, ...resource, entries: [] };
    try {
      const connection = this.#options.peers.broker(broker, 'client');
      const call = { timeoutMs: ASK_TIMEOUT_MS, signal };
      const reply = await connection.admin.describeConfigs({ resources: [resource] }, call);
      return reply.resources[0] ?? { ...none, ...resource, entries: [] };
    } catch (error) {
      return { ...outcomeOf(error), ...resource, entries: [] };
    }
  }
}
