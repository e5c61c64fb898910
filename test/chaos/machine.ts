/** What this machine offers to a run; what it lacks is skipped, and the report says so. */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import { compileShim } from './disk/shim.ts';
import { Namespaces } from './net/namespaces.ts';
import type { NetworkKind } from './net/network.ts';

export interface Machine {
  readonly network: NetworkKind;
  /** Path of the library. */
  readonly shim: string | undefined;
  /** One sentence each. */
  readonly skipped: readonly string[];
}

export interface MachineOptions {
  /** `auto`: namespaces where they can be had. */
  readonly network: NetworkKind | 'auto';
  readonly shim: boolean;
  /** For the library. */
  readonly directory: string;
}

export async function inspectMachine({ network, shim, directory }: MachineOptions): Promise<Machine> {
  const skipped: string[] = [];
  const noNamespaces = network === 'loopback' ? 'not asked for' : await Namespaces.missing();
  if (network === 'namespaces' && noNamespaces !== undefined)
    throw new Error(`no namespaces: ${noNamespaces}`);
  if (noNamespaces !== undefined)
    skipped.push(
      `network namespaces (${noNamespaces}): cuts hold bytes back in gates, no packet is ever lost`,
    );
  const isTellable = process.platform === 'linux';
  if (noNamespaces !== undefined && !isTellable)
    throw new Error(`${process.platform} has one loopback address only: links cannot be told apart`);
  const compiled = shim ? await compileShim(directory) : { missing: 'not asked for' };
  if ('missing' in compiled)
    skipped.push(
      `the shim (${compiled.missing}): no power loss, no disk errors, no slow disks, no clock jumps`,
    );
  if (!(await hasNetem()))
    skipped.push('loss, duplication and reordering of single packets: netem is not there');
  return {
    network: noNamespaces === undefined ? 'namespaces' : 'loopback',
    shim: 'path' in compiled ? compiled.path : undefined,
    skipped,
  };
}

/** Asked in a namespace of its own, so that nothing of this machine changes. */
async function hasNetem(): Promise<boolean> {
  try {
    await promisify(execFile)('unshare', [
      '-rn',
      'tc',
      'qdisc',
      'add',
      'dev',
      'lo',
      'root',
      'netem',
      'delay',
      '1ms',
    ]);
    return true;
  } catch {
    return false;
  }
}
