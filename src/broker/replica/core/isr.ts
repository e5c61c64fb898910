/**
 * The in-sync set of a partition as its leader sees it: what the controller has committed, and what the leader has asked
 * for and does not know the fate of.
 *
 * isr      committed by the controller: counts for min.insync.replicas
 * maximal  every set the controller may have by now is within it: counts for the high watermark
 * proposed what was asked for; equal to isr when nothing was
 *
 * A set that may already have been elected from must not be outrun by the high watermark, so a pending expansion counts
 * its new member, and a pending shrink still counts the old ones. Source: KIP-497.
 */
import { assert, type NodeId } from '../../../base/index.ts';

export interface IsrState {
  readonly kind: 'committed' | 'pending-expand' | 'pending-shrink';
  readonly isr: readonly NodeId[];
  readonly maximal: readonly NodeId[];
  readonly proposed: readonly NodeId[];
}

export function committed(isr: readonly NodeId[]): IsrState {
  return { kind: 'committed', isr, maximal: isr, proposed: isr };
}

export function pendingExpand(isr: readonly NodeId[], joining: NodeId): IsrState {
  assert(!isr.includes(joining), 'a member cannot join again', { isr, joining });
  const wider = [...isr, joining];
  return { kind: 'pending-expand', isr, maximal: wider, proposed: wider };
}

export function pendingShrink(isr: readonly NodeId[], leaving: readonly NodeId[]): IsrState {
  const narrower = isr.filter((id) => !leaving.includes(id));
  assert(narrower.length > 0 && narrower.length < isr.length, 'a shrink removes some', { isr, leaving });
  return { kind: 'pending-shrink', isr, maximal: isr, proposed: narrower };
}
