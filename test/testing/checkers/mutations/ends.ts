/** Ends that are told wrong; and what is wrong even after a partition lost more than it must bear. */
import type { Site } from '../draft.ts';
import type { Row } from './mutation.ts';
import {
  failSend,
  firstAfter,
  forgetPlaces,
  hasCrashed,
  lowerEnd,
  pairInPart,
  swapEverywhere,
} from './spots.ts';

export const ENDS: readonly Row[] = [
  [
    'uncommitted-read',
    'a record is read at the high watermark',
    (draft) => {
      const site = draft.pick(draft.parts().filter(({ part }) => part.records.length > 0));
      if (site === undefined) return false;
      site.part.highWatermark = site.part.records.at(-1)?.[0] ?? 0;
      return true;
    },
  ],
  [
    'high-watermark-regression',
    'a high watermark falls within a leader epoch',
    (draft) => {
      const told = draft
        .parts()
        .filter(({ part }) => (part.highWatermark ?? 0) > 0 && part.leaderEpoch !== undefined);
      const before = draft.pick(told);
      if (before === undefined) return false;
      const after = told.find(
        ({ event, part }) =>
          event.index > before.event.index &&
          event.process === before.event.process &&
          part.partition === before.part.partition,
      );
      const between = draft.events
        .slice(before.event.index, after?.event.index)
        .some(({ operation, process }) => operation.f === 'crash' && process === before.event.process);
      if (after === undefined || between || after.part.leaderEpoch !== before.part.leaderEpoch) return false;
      before.part.highWatermark = (after.part.highWatermark ?? 0) + 1;
      return true;
    },
  ],
  [
    'stale-read',
    'a client is told an end before what it has read',
    (draft) => lowerEnd(draft, (event) => event.index < draft.finalAt),
  ],
  [
    'stale-read',
    'somebody is told an old end when all is healed',
    (draft) => lowerEnd(draft, (event) => event.index > draft.finalAt && draft.finalAt >= 0),
  ],
  [
    'stale-read',
    'a client is told an end, then a lower one',
    (draft) => {
      const asked = draft.events.flatMap((event) =>
        event.operation.f === 'ends' && event.type === 'ok'
          ? event.operation.partitions.map((one) => ({ event, one }))
          : [],
      );
      const first = draft.pick(asked);
      const second = asked.find(
        ({ event, one }) =>
          event.process === first?.event.process &&
          one.partition === first?.one.partition &&
          event.index > first.event.index,
      );
      if (first?.one.end === undefined || second?.one.end === undefined) return false;
      if (hasCrashed(draft, first.event.process, first.event.index, second.event.index)) return false;
      first.one.end = second.one.end + 1;
      return true;
    },
  ],
  [
    'stale-read',
    'a reader assigned to the end begins before what it has read',
    (draft) => {
      const [, first] = firstAfter(draft, (from) => from === 'end') ?? [];
      const [offset = 0] = first?.part.records[0] ?? [];
      const { process = '', index = 0 } = first?.event ?? {};
      const before = draft
        .sites()
        .find(
          ({ event, partition, offset: read }) =>
            event.process === process &&
            event.index < index &&
            partition === first?.part.partition &&
            read === offset - 1,
        );
      if (
        first === undefined ||
        before === undefined ||
        hasCrashed(draft, process, before.event.index, index)
      )
        return false;
      first.part.records.unshift([before.offset, before.value]);
      return true;
    },
  ],
];

export const LOSSY: readonly Row[] = [
  [
    'inconsistent-offsets',
    'replicas differ for ever after a loss',
    (draft) => {
      const site = draft.pick(
        draft
          .finalSites()
          .filter(
            ({ partition, offset }) =>
              draft.finalSites().filter((one) => one.partition === partition && one.offset === offset)
                .length > 1,
          ),
      );
      const other = draft
        .sends()
        .find(
          ({ values }) => values.length === 1 && !draft.finalSites().some(({ value }) => value === values[0]),
        );
      if (site === undefined || other === undefined) return false;
      site.part.records[site.at] = [site.offset, other.values[0] ?? ''];
      return true;
    },
    'doubted',
  ],
  [
    'phantom',
    'after a loss a record has a value that nobody sent',
    (draft) => {
      const site = draft.pick(draft.sites());
      site?.part.records.splice(site.at, 1, [site.offset, 'nobody']);
      return site !== undefined;
    },
    'doubted',
  ],
  [
    'G1a',
    'after a loss a send that certainly failed took effect',
    (draft) => failSend(draft, 'info'),
    'doubted',
  ],
  [
    'int-nonmonotonic-poll',
    'after a loss a poll brings two records in the wrong order',
    (draft) => {
      const [site, next] = pairInPart(draft, () => true) ?? [];
      if (site === undefined || next === undefined) return false;
      site.part.records.splice(site.at, 2, [next.offset, next.value], [site.offset, site.value]);
      return true;
    },
    'doubted',
  ],
  [
    'nonmonotonic-send',
    'after a loss sends change places that were not in flight together',
    (draft) => {
      const isOrdered = ({ value }: Site): boolean => draft.sendOf(value)?.producer !== undefined;
      const first = draft.pick(draft.finalSites().filter(isOrdered));
      const send = draft.sendOf(first?.value ?? '');
      const settledAt = send?.done?.index ?? Infinity;
      const second = draft.pick(
        draft.finalSites().filter(({ value, partition }) => {
          const other = draft.sendOf(value);
          return (
            partition === first?.partition &&
            other?.producer === send?.producer &&
            (other?.invoke.index ?? 0) > settledAt
          );
        }),
      );
      if (first === undefined || second === undefined) return false;
      forgetPlaces(draft, [first.value, second.value]);
      swapEverywhere(draft, first.value, second.value);
      return true;
    },
    'doubted',
  ],
  [
    'stale-read',
    'after a loss and healing, a client is told an old end',
    (draft) => lowerEnd(draft, (event) => event.index > draft.finalAt && draft.finalAt >= 0),
    'doubted',
  ],
];
