/**
 * Loaded into a node before all else (`--import`). When all nodes share one loopback, its connections come from an address of
 * its own, so that the gates of others can tell who it is: Linux answers at every address of 127.0.0.0/8. And it does not
 * outlive the run, however that ended.
 */
import net from 'node:net';
import process from 'node:process';

const address = process.env.CHAOS_SOURCE;
const { connect } = net.Socket.prototype;

interface Arguments {
  _normalizeArgs(args: unknown[]): [object, ...unknown[]];
}

if (address !== undefined)
  net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]): net.Socket {
    const normalized = Array.isArray(args[0])
      ? (args[0] as [object, ...unknown[]])
      : (net as unknown as Arguments)._normalizeArgs(args);
    const [options] = normalized;
    if ('port' in options) normalized[0] = { ...options, localAddress: address } as object;
    return Reflect.apply(connect, this, [normalized]);
  } as typeof connect;

process.on('disconnect', () => process.exit());
process.channel?.unref();
