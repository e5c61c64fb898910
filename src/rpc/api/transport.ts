import type { Address } from './common.ts';
import type {
  AdminService,
  BrokerService,
  ControllerService,
  QuorumService,
  ReplicaService,
} from './services.ts';
import type { CallContext } from './stream.ts';

/** What one listener offers. Internal services are only ever given to internal listeners. */
export interface ServedServices {
  readonly broker?: BrokerService<CallContext>;
  readonly admin?: AdminService<CallContext>;
  readonly replica?: ReplicaService<CallContext>;
  readonly controller?: ControllerService<CallContext>;
  readonly quorum?: QuorumService<CallContext>;
}

/** Carries calls between nodes and clients. Bytes cross the border, never shared objects. */
export interface Transport {
  /** Serves until closed. Port 0: any free one. EnvironmentError 'address-in-use' names the address. */
  serve(address: Address, services: ServedServices, options?: ServeOptions): Promise<Listener>;
  /** At once and without I/O; the first call connects. */
  connect(address: Address): Connection;
  /** Closes what `serve` and `connect` made and that is still open. */
  close(): Promise<void>;
}

export interface ServeOptions {
  /** What the standard health service answers. Absent: serving from the start. */
  readonly healthy?: () => boolean;
}

export interface Listener {
  readonly address: Address;
  /** Refuses new calls, lets running ones finish for `graceMs`, then cuts them. */
  close(graceMs: number): Promise<void>;
}

/** One connection to one address, shared by its callers, made again by itself after a break. */
export interface Connection {
  readonly address: Address;
  readonly broker: BrokerService;
  readonly admin: AdminService;
  readonly replica: ReplicaService;
  readonly controller: ControllerService;
  readonly quorum: QuorumService;
  close(): void;
}
