import { type NodeId, StartupError, splitList } from '../../base/index.ts';
import type { Address } from '../../rpc/api/index.ts';

export type ListenerName = 'CLIENT' | 'REPLICA' | 'CONTROLLER';
export type Listeners = Readonly<Partial<Record<ListenerName, Address>>>;

export interface VoterAddress {
  readonly id: NodeId;
  readonly endpoint: Address;
}

const PORT_MAX = 65_535;
const LISTENER_NAMES: readonly ListenerName[] = ['CLIENT', 'REPLICA', 'CONTROLLER'];

/** `host:port` or `[ipv6]:port`. `what` names the key or option in the error. */
export function parseAddress(what: string, text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d+)$/.exec(text.trim());
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || !(port >= 0 && port <= PORT_MAX))
    throw new StartupError(`${what}: "${text}" is not host:port (such as 127.0.0.1:9092)`);
  return { host, port };
}

/** `NAME://host:port`, comma separated. */
export function parseListeners(key: string, text: string): Listeners {
  const listeners: Partial<Record<ListenerName, Address>> = {};
  for (const word of splitList(text)) {
    const match = /^([A-Za-z]+):\/\/(.+)$/.exec(word);
    const name = LISTENER_NAMES.find((known) => known === match?.[1]?.toUpperCase());
    if (name === undefined || match?.[2] === undefined)
      throw new StartupError(
        `${key}: "${word}" is not NAME://host:port; names: ${LISTENER_NAMES.join(', ')}`,
      );
    if (listeners[name] !== undefined) throw new StartupError(`${key} names ${name} twice`);
    listeners[name] = parseAddress(key, match[2]);
  }
  return listeners;
}

/** `id@host:port`, comma separated; at least one, ids unique. */
export function parseVoters(text: string): readonly VoterAddress[] {
  const key = 'controller.quorum.voters';
  const voters = splitList(text).map((word): VoterAddress => {
    const match = /^(\d+)@(.+)$/.exec(word);
    if (match?.[2] === undefined)
      throw new StartupError(`${key}: "${word}" is not id@host:port (such as 1@127.0.0.1:9093)`);
    return { id: Number(match[1]), endpoint: parseAddress(key, match[2]) };
  });
  if (voters.length === 0) throw new StartupError(`${key} is empty: name the controllers`);
  if (new Set(voters.map((voter) => voter.id)).size !== voters.length)
    throw new StartupError(`${key} names an id twice: ${text}`);
  return voters;
}
