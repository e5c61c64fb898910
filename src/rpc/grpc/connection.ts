/** The client side: service objects over one channel, built from the tables of rpc/protobuf. */
import type {
  Address,
  AdminService,
  BrokerService,
  CallOptions,
  Connection,
  ControllerService,
  QuorumService,
  ReplicaService,
  Sink,
} from '../api/index.ts';
import { methodsOf, type ServiceKey } from '../protobuf/index.ts';
import { Channel } from './channel.ts';
import { callDuplex } from './client-duplex.ts';
import { callUnary } from './client-unary.ts';
import type { GrpcLimits } from './limits.ts';

export class GrpcConnection implements Connection {
  readonly address: Address;
  readonly broker: BrokerService;
  readonly admin: AdminService;
  readonly replica: ReplicaService;
  readonly controller: ControllerService;
  readonly quorum: QuorumService;
  readonly #channel: Channel;
  readonly #onClose: () => void;

  constructor(address: Address, limits: GrpcLimits, onClose: () => void) {
    this.address = address;
    this.#onClose = onClose;
    this.#channel = new Channel(address, limits);
    this.broker = stub(this.#channel, 'broker', limits) as BrokerService;
    this.admin = stub(this.#channel, 'admin', limits) as AdminService;
    this.replica = stub(this.#channel, 'replica', limits) as ReplicaService;
    this.controller = stub(this.#channel, 'controller', limits) as ControllerService;
    this.quorum = stub(this.#channel, 'quorum', limits) as QuorumService;
  }

  close(): void {
    this.#channel.close();
    this.#onClose();
  }
}

/** The table's type says that this is the service; the loop over it cannot. */
function stub(channel: Channel, key: ServiceKey, limits: GrpcLimits): unknown {
  const functions = methodsOf(key).map(([property, method]) => [
    property,
    method.kind === 'unary'
      ? (request: unknown, options: CallOptions) => callUnary(channel, method, request, options, limits)
      : (replies: Sink<unknown>, options: CallOptions) =>
          callDuplex(channel, method, replies, options, limits),
  ]);
  return Object.fromEntries(functions);
}
