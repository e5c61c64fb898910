/**
 * The services as tables: for each method of rpc/api its name in the .proto files, its kind and its two
 * messages.
 *
 * Transports are generic over these tables: a client is built from one, a server walks one. A test compares
 * them with the .proto files, in both directions.
 */
import type {
  AdminService,
  BrokerService,
  CallOptions,
  ControllerService,
  QuorumService,
  ReplicaService,
  Sink,
} from '../api/index.ts';
import * as admin from './admin.ts';
import * as controller from './controller.ts';
import * as fetch from './fetch.ts';
import * as logDigest from './log-digest.ts';
import type { Message } from './message.ts';
import * as metadata from './metadata.ts';
import * as produce from './produce.ts';
import * as quorum from './quorum.ts';
import * as replica from './replica.ts';

export interface Method<Request, Reply> {
  /** duplex: a stream of requests and a stream of replies. */
  readonly kind: 'unary' | 'duplex';
  /** As in the .proto files. */
  readonly name: string;
  /** `/quorate.v1.Service/Name`. */
  readonly path: string;
  readonly request: Message<Request>;
  readonly reply: Message<Reply>;
}

/** Any method: whoever uses it hands through what it cannot know. */
export type AnyMethod = Method<unknown, unknown>;

type MethodOf<F> = F extends (replies: Sink<infer Reply>, call: CallOptions) => Sink<infer Request>
  ? Method<Request, Reply>
  : F extends (request: infer Request, call: CallOptions) => Promise<infer Reply>
    ? Method<Request, Reply>
    : never;

export interface ServiceTable<S> {
  /** As in the .proto files, with the package. */
  readonly name: string;
  readonly methods: { readonly [K in keyof S]: MethodOf<S[K]> };
}

type Unplaced<Request, Reply> = Omit<Method<Request, Reply>, 'name' | 'path'>;

const unary = <Request, Reply>(
  request: Message<Request>,
  reply: Message<Reply>,
): Unplaced<Request, Reply> => ({ kind: 'unary', request, reply });

const duplex = <Request, Reply>(
  request: Message<Request>,
  reply: Message<Reply>,
): Unplaced<Request, Reply> => ({ kind: 'duplex', request, reply });

/** A method is named in the .proto files like its property here, with a capital. */
function service<S>(
  name: string,
  methods: { readonly [K in keyof S]: Omit<MethodOf<S[K]>, 'name' | 'path'> },
): ServiceTable<S> {
  const placed = Object.entries<Unplaced<unknown, unknown>>(methods).map(([property, method]) => {
    const methodName = property.charAt(0).toUpperCase() + property.slice(1);
    return [property, { ...method, name: methodName, path: `/${name}/${methodName}` }];
  });
  return { name, methods: Object.fromEntries(placed) };
}

export const SERVICES = {
  broker: service<BrokerService>('quorate.v1.Broker', {
    produce: unary(produce.produceRequest, produce.produceReply),
    produceStream: duplex(produce.produceRequest, produce.produceReply),
    fetch: unary(fetch.fetchRequest, fetch.fetchReply),
    fetchStream: duplex(fetch.fetchRequest, fetch.fetchReply),
    listOffsets: unary(fetch.listOffsetsRequest, fetch.listOffsetsReply),
    metadata: unary(metadata.metadataRequest, metadata.metadataReply),
    initProducerId: unary(metadata.initProducerIdRequest, metadata.initProducerIdReply),
  }),
  admin: service<AdminService>('quorate.v1.Admin', {
    createTopics: unary(admin.createTopicsRequest, admin.createTopicsReply),
    deleteTopics: unary(admin.deleteTopicsRequest, admin.deleteTopicsReply),
    deleteRecords: unary(admin.deleteRecordsRequest, admin.deleteRecordsReply),
    describeConfigs: unary(admin.describeConfigsRequest, admin.describeConfigsReply),
    alterConfigs: unary(admin.alterConfigsRequest, admin.alterConfigsReply),
    describeCluster: unary(admin.describeClusterRequest, admin.describeClusterReply),
    describeQuorum: unary(quorum.describeQuorumRequest, quorum.describeQuorumReply),
    logDigest: unary(logDigest.logDigestRequest, logDigest.logDigestReply),
  }),
  replica: service<ReplicaService>('quorate.v1.Replica', {
    replicaFetch: duplex(replica.replicaFetchRequest, replica.replicaFetchReply),
    deleteRecords: unary(admin.deleteRecordsRequest, admin.deleteRecordsReply),
    imageDigest: unary(admin.imageDigestRequest, admin.imageDigestReply),
    logDigest: unary(logDigest.logDigestRequest, logDigest.logDigestReply),
  }),
  controller: service<ControllerService>('quorate.v1.Controller', {
    registerBroker: unary(controller.registerBrokerRequest, controller.registerBrokerReply),
    session: duplex(controller.brokerHeartbeat, controller.brokerHeartbeatReply),
    alterPartition: unary(controller.alterPartitionRequest, controller.alterPartitionReply),
    assignReplicasToDirs: unary(controller.assignReplicasToDirsRequest, controller.assignReplicasToDirsReply),
    allocateProducerIds: unary(controller.allocateProducerIdsRequest, controller.allocateProducerIdsReply),
    createTopics: unary(admin.createTopicsRequest, admin.createTopicsReply),
    deleteTopics: unary(admin.deleteTopicsRequest, admin.deleteTopicsReply),
    alterConfigs: unary(admin.alterConfigsRequest, admin.alterConfigsReply),
    imageDigest: unary(admin.imageDigestRequest, admin.imageDigestReply),
  }),
  quorum: service<QuorumService>('quorate.v1.Quorum', {
    identify: unary(quorum.identifyRequest, quorum.identifyReply),
    vote: unary(quorum.voteRequest, quorum.voteReply),
    beginQuorumEpoch: unary(quorum.beginQuorumEpochRequest, quorum.quorumReply),
    endQuorumEpoch: unary(quorum.endQuorumEpochRequest, quorum.quorumReply),
    fetch: unary(quorum.quorumFetchRequest, quorum.quorumFetchReply),
    describeQuorum: unary(quorum.describeQuorumRequest, quorum.describeQuorumReply),
  }),
};

export type ServiceKey = keyof typeof SERVICES;

/** The methods of a service by property name, for code that is generic over services. */
export function methodsOf(key: ServiceKey): readonly (readonly [property: string, method: AnyMethod])[] {
  return Object.entries(SERVICES[key].methods as unknown as Record<string, AnyMethod>);
}
