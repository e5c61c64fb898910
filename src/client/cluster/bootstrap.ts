import { StartupError } from '../../base/index.ts';
import type { Address } from '../../rpc/api/index.ts';

/** `host:port,host:port`, a list of such, or addresses. */
export type Bootstrap = string | readonly (string | Address)[];

/** At least one address; throws StartupError naming the part that is none. IPv6 hosts are in brackets. */
export function parseBootstrap(bootstrap: Bootstrap): Address[] {
  const parts = typeof bootstrap === 'string' ? [bootstrap] : bootstrap;
  const addresses = parts.flatMap((part) =>
    typeof part === 'string' ? part.split(',').map((word) => parseAddress(word.trim())) : [part],
  );
  if (addresses.length === 0)
    throw new StartupError('bootstrap is empty; give host:port of one broker or more');
  return addresses;
}

function parseAddress(text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535)
    throw new StartupError(`"${text}" is no address of a broker; write host:port, such as localhost:9092`);
  return { host: match[1] ?? match[2] ?? '', port };
}
