/**
 * Says in plain words why nobody decides: which controllers answer, which do not, and what would mend it.
 */
import { assert, type NodeId } from '../../base/index.ts';

export interface VoterProbe {
  readonly nodeId: NodeId;
  readonly reachable: boolean;
  /** Whom the voter believes to lead; -1: nobody. */
  readonly leaderId: NodeId;
}

/** `probes` has one per voter and is not empty. */
export function describeTrouble(probes: readonly VoterProbe[]): string {
  assert(probes.length > 0, 'a quorum has voters');
  const majority = Math.floor(probes.length / 2) + 1;
  const up = probes.filter((probe) => probe.reachable);
  const down = probes.filter((probe) => !probe.reachable);
  const leader = up.find((probe) => probe.leaderId === probe.nodeId);
  const size = `the quorum of ${probes.length}`;
  if (leader !== undefined)
    return `controller ${leader.nodeId} says it is active but did not answer in time; ${standing(up, down)}`;
  if (up.length < majority)
    return (
      `no active controller: ${size} has ${up.length} ${plural('voter', up.length)} reachable${ids(up)} ` +
      `and needs ${majority}; start controller ${either(down)}; ` +
      'records flow on meanwhile, topics, configs and leaders change when a majority of controllers runs'
    );
  return `no active controller yet: ${size} has ${up.length} voters reachable${ids(up)} and is electing; try again`;
}

function standing(up: readonly VoterProbe[], down: readonly VoterProbe[]): string {
  return down.length === 0 ? `all ${up.length} controllers are reachable` : `unreachable: ${list(down)}`;
}

function ids(probes: readonly VoterProbe[]): string {
  return probes.length === 0 ? '' : ` (${list(probes)})`;
}

function list(probes: readonly VoterProbe[]): string {
  return probes.map((probe) => probe.nodeId).join(', ');
}

function either(probes: readonly VoterProbe[]): string {
  return probes.map((probe) => probe.nodeId).join(' or ');
}

function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`;
}
