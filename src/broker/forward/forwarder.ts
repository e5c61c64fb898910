import { ApiError, type NodeId } from '../../base/index.ts';
import type { Environment } from '../../env/index.ts';
import type {
  Connection,
  DeleteRecordsReply,
  DeleteRecordsRequest,
  FetchReply,
  FetchRequest,
  ListOffsetsReply,
  ListOffsetsRequest,
  ProducePartitionReply,
  ProduceRequest,
} from '../../rpc/api/index.ts';
import type { Peers } from '../peers/peers.ts';
import { LANE_REQUESTS_MAX, ProduceLane } from './produce-lane.ts';

/** On top of what the other broker is asked to wait. */
const ROAD_MS = 2_000;

/**
 * Requests for partitions that another broker leads, sent to its replica listener: one hop, marked as forwarded.
 *
 * Every method fails by EnvironmentError when the road broke, by ApiError when the other side refused.
 */
export class Forwarder {
  readonly #environment: Environment;
  readonly #peers: Peers;
  readonly #lanes = new Map<NodeId, ProduceLane>();

  constructor(environment: Environment, peers: Peers) {
    this.#environment = environment;
    this.#peers = peers;
  }

  /** Sent before it returns, so requests to one broker keep their order. One reply per partition, in order. */
  produce(nodeId: NodeId, request: ProduceRequest): Promise<readonly ProducePartitionReply[]> {
    const lane = this.#lane(nodeId);
    if (lane.inFlight >= LANE_REQUESTS_MAX)
      return Promise.reject(
        new ApiError('RESOURCE_EXHAUSTED', `too many requests wait for broker ${nodeId}`),
      );
    return lane.produce(request);
  }

  fetch(nodeId: NodeId, request: FetchRequest, signal: AbortSignal): Promise<FetchReply> {
    const timeoutMs = request.maxWaitMs + ROAD_MS;
    return this.#connection(nodeId).broker.fetch(
      { ...request, forwarded: true, plain: false },
      { timeoutMs, signal },
    );
  }

  listOffsets(nodeId: NodeId, request: ListOffsetsRequest): Promise<ListOffsetsReply> {
    return this.#connection(nodeId).broker.listOffsets(
      { ...request, forwarded: true },
      { timeoutMs: ROAD_MS },
    );
  }

  deleteRecords(nodeId: NodeId, request: DeleteRecordsRequest): Promise<DeleteRecordsReply> {
    return this.#connection(nodeId).replica.deleteRecords(request, {
      timeoutMs: request.timeoutMs + ROAD_MS,
    });
  }

  close(): void {
    for (const lane of this.#lanes.values()) lane.close();
    this.#lanes.clear();
  }

  #connection(nodeId: NodeId): Connection {
    return this.#peers.broker(nodeId, 'replica');
  }

  #lane(nodeId: NodeId): ProduceLane {
    const connection = this.#connection(nodeId);
    const known = this.#lanes.get(nodeId);
    if (known !== undefined && known.connection === connection) return known;
    known?.close();
    const lane = new ProduceLane(connection, this.#environment.timers);
    this.#lanes.set(nodeId, lane);
    return lane;
  }
}
