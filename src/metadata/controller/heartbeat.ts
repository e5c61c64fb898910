/**
 * A broker's life between registration and end: fenced, unfenced, in controlled shutdown, gone.
 *
 * A broker is caught up once it has published its own registration, not the end of the log, which on a busy cluster it
 * may never reach (KAFKA-13959). It may go once it leads nothing and every other active broker knows who leads instead.
 * Source: Kafka's BrokerHeartbeatManager.calculateNextBrokerState.
 */
import type { NodeId, Uuid } from '../../base/index.ts';
import { acceptEach, refuse } from '../../machine/index.ts';
import type { BrokerHeartbeat } from '../../rpc/api/index.ts';
import type { BrokerRegistration } from '../image/cluster.ts';
import { type MetadataImage, replay } from '../image/image.ts';
import type { BrokerRegistrationChangeRecord, MetadataRecord } from '../records/records.ts';
import { findIncarnation, staleEpochMessage } from './broker-epoch.ts';
import type { DecideContext, MetadataDecision } from './context.ts';
import { recordsForLeaderless, recordsForLeaving, recordsForLostDirectories } from './leadership.ts';

export type BrokerState = 'fenced' | 'unfenced' | 'controlled-shutdown' | 'shutdown-now';

export interface HeartbeatResult {
  readonly from: BrokerState;
  readonly to: BrokerState;
  readonly isCaughtUp: boolean;
  /** Directories that the broker says have failed, and that were online until now. */
  readonly lostDirectories: readonly Uuid[];
}

export interface BrokerSituation {
  readonly wantFence: boolean;
  readonly wantShutdown: boolean;
  readonly isCaughtUp: boolean;
  readonly leadsAny: () => boolean;
  /** Every other active broker knows the moves of its leaders. */
  readonly isKnownToOthers: () => boolean;
}

export function nextBrokerState(state: BrokerState, broker: BrokerSituation): BrokerState {
  switch (state) {
    case 'fenced':
      if (broker.wantShutdown) return 'shutdown-now';
      return !broker.wantFence && broker.isCaughtUp ? 'unfenced' : 'fenced';
    case 'unfenced':
      if (broker.wantFence) return broker.wantShutdown ? 'shutdown-now' : 'fenced';
      if (!broker.wantShutdown) return 'unfenced';
      return broker.leadsAny() ? 'controlled-shutdown' : 'shutdown-now';
    case 'controlled-shutdown':
      return broker.leadsAny() || !broker.isKnownToOthers() ? 'controlled-shutdown' : 'shutdown-now';
    case 'shutdown-now':
      return 'shutdown-now';
  }
}

export function decideHeartbeat(
  image: MetadataImage,
  heartbeat: BrokerHeartbeat,
  context: DecideContext,
): MetadataDecision<HeartbeatResult> {
  const { brokerId, brokerEpoch, currentMetadataOffset, wantFence, wantShutdown } = heartbeat;
  const broker = findIncarnation(image, brokerId, brokerEpoch);
  if (broker === undefined)
    return refuse('STALE_BROKER_EPOCH', staleEpochMessage(image, brokerId, brokerEpoch));
  const from = stateOf(broker);
  const isCaughtUp = currentMetadataOffset > broker.epoch;
  const to = nextBrokerState(from, {
    // Fenced on its way out: only a new incarnation comes back from there.
    wantFence: wantFence || (broker.fenced && broker.inControlledShutdown),
    wantShutdown,
    isCaughtUp,
    leadsAny: () => leadsAny(image, brokerId),
    isKnownToOthers: () => {
      const offset = context.sessions.shutdownOffset(brokerId);
      return offset !== undefined && context.sessions.lowestActiveOffset(image, brokerId) >= offset;
    },
  });
  const lostDirectories = broker.logDirs.filter((id) => heartbeat.offlineLogDirs.includes(id));
  const lost = lostDirectories.length === 0 ? [] : loseDirectories(image, broker, lostDirectories, context);
  const after = lost.reduce<MetadataImage>(replay, image);
  const records = from === to ? [] : transition(after, broker, to, context);
  return acceptEach([...lost, ...records], { from, to, isCaughtUp, lostDirectories });
}

/** For good: what failed comes back with the next incarnation only. Leaders move before the directory is gone. */
function loseDirectories(
  image: MetadataImage,
  broker: BrokerRegistration,
  lost: readonly Uuid[],
  { config }: DecideContext,
): MetadataRecord[] {
  return [
    ...recordsForLostDirectories(image, broker.id, new Set(lost), config.staticConfig),
    {
      kind: 'broker-registration-change',
      brokerId: broker.id,
      brokerEpoch: broker.epoch,
      fenced: 'none',
      inControlledShutdown: 'none',
      logDirs: broker.logDirs.filter((id) => !lost.includes(id)),
    },
  ];
}

/** The session of `brokerId` has ended, unless it was heard of since: then nothing happens and the reply is false. */
export function decideFenceExpired(
  image: MetadataImage,
  brokerId: NodeId,
  context: DecideContext,
): MetadataDecision<boolean> {
  const broker = image.cluster.brokers.get(brokerId);
  if (broker === undefined || context.sessions.findExpired(image, context.nowMs) !== brokerId)
    return acceptEach<MetadataRecord, boolean>([], false);
  return acceptEach(transition(image, broker, 'fenced', context), true);
}

function stateOf(broker: BrokerRegistration): BrokerState {
  if (broker.fenced) return 'fenced';
  return broker.inControlledShutdown ? 'controlled-shutdown' : 'unfenced';
}

/** Leaders move before the broker is fenced, and it is unfenced before it leads: no record makes a fenced leader. */
function transition(
  image: MetadataImage,
  broker: BrokerRegistration,
  to: BrokerState,
  { config }: DecideContext,
): MetadataRecord[] {
  const change: BrokerRegistrationChangeRecord = {
    kind: 'broker-registration-change',
    brokerId: broker.id,
    brokerEpoch: broker.epoch,
    fenced: 'none',
    inControlledShutdown: 'none',
  };
  switch (to) {
    case 'unfenced':
      return [
        { ...change, fenced: 'unfence' },
        ...recordsForLeaderless(image, broker.id, config.staticConfig),
      ];
    case 'controlled-shutdown':
      return [
        { ...change, inControlledShutdown: 'in-controlled-shutdown' },
        ...recordsForLeaving(image, broker.id, config.staticConfig),
      ];
    case 'fenced':
    case 'shutdown-now':
      return broker.fenced
        ? []
        : [...recordsForLeaving(image, broker.id, config.staticConfig), { ...change, fenced: 'fence' }];
  }
}

function leadsAny(image: MetadataImage, brokerId: NodeId): boolean {
  return image.topics.byName.some(({ partitions }) => partitions.some(({ leader }) => leader === brokerId));
}
