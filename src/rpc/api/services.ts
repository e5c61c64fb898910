/**
 * The services, without a transport. A server implements an interface, a connection offers the same one.
 *
 * Unary methods refuse by throwing ApiError and fail by EnvironmentError ('unreachable', 'disconnected',
 * 'deadline-exceeded'). `options` is what a caller passes; an implementation gets its `CallContext` in the same place.
 */
import type {
  BeginQuorumEpochRequest,
  DescribeQuorumReply,
  DescribeQuorumRequest,
  EndQuorumEpochRequest,
  IdentifyReply,
  IdentifyRequest,
  QuorumFetchReply,
  QuorumFetchRequest,
  QuorumReply,
  VoteReply,
  VoteRequest,
} from '../../raft/core/messages.ts';
import type {
  AlterConfigsReply,
  AlterConfigsRequest,
  CreateTopicsReply,
  CreateTopicsRequest,
  DeleteRecordsReply,
  DeleteRecordsRequest,
  DeleteTopicsReply,
  DeleteTopicsRequest,
  DescribeClusterReply,
  DescribeConfigsReply,
  DescribeConfigsRequest,
  ImageDigestReply,
} from './admin.ts';
import type {
  AllocateProducerIdsReply,
  AllocateProducerIdsRequest,
  AlterPartitionReply,
  AlterPartitionRequest,
  AssignReplicasToDirsReply,
  AssignReplicasToDirsRequest,
  BrokerHeartbeat,
  BrokerHeartbeatReply,
  RegisterBrokerReply,
  RegisterBrokerRequest,
} from './controller.ts';
import type { FetchReply, FetchRequest, ListOffsetsReply, ListOffsetsRequest } from './fetch.ts';
import type { LogDigestReply, LogDigestRequest } from './log-digest.ts';
import type {
  InitProducerIdReply,
  InitProducerIdRequest,
  MetadataReply,
  MetadataRequest,
} from './metadata.ts';
import type { ProduceReply, ProduceRequest } from './produce.ts';
import type { ReplicaFetchReply, ReplicaFetchRequest } from './replica.ts';
import type { CallContext, CallOptions, Sink } from './stream.ts';

/** What an implementation gets, or a caller gives: one parameter position, two roles. */
export type Call = CallOptions | CallContext;

/** Public: records in and out. */
export interface BrokerService<C extends Call = CallOptions> {
  produce(request: ProduceRequest, call: C): Promise<ProduceReply>;
  produceStream(replies: Sink<ProduceReply>, call: C): Sink<ProduceRequest>;
  fetch(request: FetchRequest, call: C): Promise<FetchReply>;
  /** One fetch in flight per correlation id; replies may come in another order than the requests. */
  fetchStream(replies: Sink<FetchReply>, call: C): Sink<FetchRequest>;
  listOffsets(request: ListOffsetsRequest, call: C): Promise<ListOffsetsReply>;
  metadata(request: MetadataRequest, call: C): Promise<MetadataReply>;
  initProducerId(request: InitProducerIdRequest, call: C): Promise<InitProducerIdReply>;
}

/** Public: topics, configs, the cluster. Forwarded to the active controller where that is who decides. */
export interface AdminService<C extends Call = CallOptions> {
  createTopics(request: CreateTopicsRequest, call: C): Promise<CreateTopicsReply>;
  deleteTopics(request: DeleteTopicsRequest, call: C): Promise<DeleteTopicsReply>;
  /** Asked of each partition's leader, here or one hop away. */
  deleteRecords(request: DeleteRecordsRequest, call: C): Promise<DeleteRecordsReply>;
  describeConfigs(request: DescribeConfigsRequest, call: C): Promise<DescribeConfigsReply>;
  alterConfigs(request: AlterConfigsRequest, call: C): Promise<AlterConfigsReply>;
  describeCluster(request: Record<never, never>, call: C): Promise<DescribeClusterReply>;
  describeQuorum(request: DescribeQuorumRequest, call: C): Promise<DescribeQuorumReply>;
  logDigest(request: LogDigestRequest, call: C): Promise<LogDigestReply>;
}

/** Internal, served by brokers to brokers. */
export interface ReplicaService<C extends Call = CallOptions> {
  replicaFetch(replies: Sink<ReplicaFetchReply>, call: C): Sink<ReplicaFetchRequest>;
  /** Of partitions that the asked broker leads: the second half of AdminService.deleteRecords. */
  deleteRecords(request: DeleteRecordsRequest, call: C): Promise<DeleteRecordsReply>;
  imageDigest(request: Record<never, never>, call: C): Promise<ImageDigestReply>;
  logDigest(request: LogDigestRequest, call: C): Promise<LogDigestReply>;
}

/** Internal, served by controllers to brokers. Anyone but the active one refuses with NOT_CONTROLLER. */
export interface ControllerService<C extends Call = CallOptions> {
  registerBroker(request: RegisterBrokerRequest, call: C): Promise<RegisterBrokerReply>;
  session(replies: Sink<BrokerHeartbeatReply>, call: C): Sink<BrokerHeartbeat>;
  alterPartition(request: AlterPartitionRequest, call: C): Promise<AlterPartitionReply>;
  assignReplicasToDirs(request: AssignReplicasToDirsRequest, call: C): Promise<AssignReplicasToDirsReply>;
  allocateProducerIds(request: AllocateProducerIdsRequest, call: C): Promise<AllocateProducerIdsReply>;
  createTopics(request: CreateTopicsRequest, call: C): Promise<CreateTopicsReply>;
  deleteTopics(request: DeleteTopicsRequest, call: C): Promise<DeleteTopicsReply>;
  alterConfigs(request: AlterConfigsRequest, call: C): Promise<AlterConfigsReply>;
  imageDigest(request: Record<never, never>, call: C): Promise<ImageDigestReply>;
}

/** Internal, served by every node of the quorum. */
export interface QuorumService<C extends Call = CallOptions> {
  identify(request: IdentifyRequest, call: C): Promise<IdentifyReply>;
  vote(request: VoteRequest, call: C): Promise<VoteReply>;
  beginQuorumEpoch(request: BeginQuorumEpochRequest, call: C): Promise<QuorumReply>;
  endQuorumEpoch(request: EndQuorumEpochRequest, call: C): Promise<QuorumReply>;
  fetch(request: QuorumFetchRequest, call: C): Promise<QuorumFetchReply>;
  describeQuorum(request: DescribeQuorumRequest, call: C): Promise<DescribeQuorumReply>;
}
