import { ApiError, type NodeId } from '../../base/index.ts';
import type { Environment } from '../../env/index.ts';
import type {
  Address,
  Connection,
  FetchReply,
  FetchRequest,
  ListOffsetsReply,
  ListOffsetsRequest,
  ProducePartitionReply,
  ProduceRequest,
} from '../../rpc/api/index.ts';
import type { ConnectionPool } from '../peers/connection-pool.ts';
import { LANE_REQUESTS_MAX, ProduceLane } from './produce-lane.ts';

/** On top of what the other broker is asked to wait. */
const ROAD_MS = 2_000;

/**
 * Requests for partitions that another broker leads, sent to its client listener: one hop, marked as forwarded.
 *
 * Every method fails by EnvironmentError when the road broke, by ApiError when the other side refused.
 */
export class Forwarder {
  readonly #environment: Environment;
  readonly #pool: ConnectionPool;
  readonly #lanes = new Map<NodeId, ProduceLane>();

  constructor(environment: Environment, pool: ConnectionPool) {
    this.#environment = environment;
    this.#pool = pool;
  }

  /** Sent before it returns, so requests to one broker keep their order. One reply per partition, in order. */
  produce(
    nodeId: NodeId,
    address: Address,
    request: ProduceRequest,
  ): Promise<readonly ProducePartitionReply[]> {
    const lane = this.#lane(nodeId, address);
    if (lane.inFlight >= LANE_REQUESTS_MAX)
      return Promise.reject(
        new ApiError('RESOURCE_EXHAUSTED', `too many requests wait for broker ${nodeId}`),
      );
    return lane.produce(request);
  }

  fetch(nodeId: NodeId, address: Address, request: FetchRequest, signal: AbortSignal): Promise<FetchReply> {
    const timeoutMs = request.maxWaitMs + ROAD_MS;
    return this.#connection(nodeId, address).broker.fetch(
      { ...request, forwarded: true, plain: false },
      { timeoutMs, signal },
    );
  }

  listOffsets(nodeId: NodeId, address: Address, request: ListOffsetsRequest): Promise<ListOffsetsReply> {
    return this.#connection(nodeId, address).broker.listOffsets(
      { ...request, forwarded: true },
      { timeoutMs: ROAD_MS },
    );
  }

  close(): void {
    for (const lane of this.#lanes.values()) lane.close();
    this.#lanes.clear();
  }

  #connection(nodeId: NodeId, address: Address): Connection {
    return this.#pool.get(`${nodeId}/client`, address);
  }

  #lane(nodeId: NodeId, address: Address): ProduceLane {
    const connection = this.#connection(nodeId, address);
    const known = this.#lanes.get(nodeId);
    if (known !== undefined && known.connection === connection) return known;
    known?.close();
    const lane = new ProduceLane(connection, this.#environment.timers);
    this.#lanes.set(nodeId, lane);
    return lane;
  }
}
