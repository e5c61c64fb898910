/** Values at places where they do not belong. */
import type { Row } from './mutation.ts';
import { forgetPlaces, isRead, pairInPart, placeOf, swapEverywhere, swapValues } from './spots.ts';

export const PLACES: readonly Row[] = [
  [
    'inconsistent-offsets',
    "one reader sees two records in each other's place",
    (draft) => {
      const [site, next] =
        pairInPart(draft, ({ partition, offset }) => draft.readCount(partition, offset) > 1) ?? [];
      return site !== undefined && next !== undefined && swapValues(site, next);
    },
  ],
  [
    'inconsistent-offsets',
    'a log is cut, and other values take the place of what was read',
    (draft) => {
      const early = draft.pick(draft.sites().filter(({ event }) => event.index < draft.finalAt));
      const other = draft
        .sends()
        .find(
          ({ done, values, acks }) =>
            done?.type === 'info' && acks === 'all' && !values.some((value) => isRead(draft, value)),
        );
      if (early === undefined || other === undefined) return false;
      const there = draft
        .finalSites()
        .filter(({ partition, offset }) => partition === early.partition && offset === early.offset);
      for (const site of there) site.part.records[site.at] = [site.offset, other.values[0] ?? ''];
      return there.length > 0;
    },
  ],
  [
    'inconsistent-offsets',
    'an acknowledgement names the offset behind the right one',
    (draft) => {
      const send = draft.pick(
        draft.acked().filter(({ values }) => values.some((value) => isRead(draft, value))),
      );
      const [placed] = send?.placed ?? [];
      if (send === undefined || placed === undefined) return false;
      const end = placed.offset + placed.count;
      if (draft.readCount(placed.partition, end) === 0) return false;
      placed.offset++;
      return true;
    },
  ],
  [
    'inconsistent-offsets',
    'two sends are acknowledged at one offset',
    (draft) => {
      const one = draft.pick(draft.acked());
      const other = draft.pick(draft.acked().filter((send) => send !== one));
      if (one?.placed[0] === undefined || other?.placed[0] === undefined) return false;
      if (one.invoke.index === other.invoke.index) return false;
      Object.assign(other.placed[0], { partition: one.placed[0].partition, offset: one.placed[0].offset });
      return true;
    },
  ],
  [
    'inconsistent-offsets',
    'a run of an acknowledgement names a place of somebody else',
    (draft) => {
      const send = draft.pick(
        draft.sends().filter(({ placed, acks }) => acks === 'all' && placed.length > 1),
      );
      const run = draft.pick(send?.placed ?? []);
      const site = draft.pick(draft.sites().filter(({ value }) => send?.values.includes(value) === false));
      if (run === undefined || site === undefined) return false;
      Object.assign(run, { partition: site.partition, offset: site.offset });
      return true;
    },
  ],
  [
    'wrong-ack',
    'an acknowledgement leaves out a value',
    (draft) => {
      const [placed] = draft.pick(draft.sends().filter((send) => send.placed.length > 0))?.placed ?? [];
      if (placed === undefined) return false;
      placed.count--;
      return true;
    },
  ],
  [
    'wrong-ack',
    'an acknowledgement is of another partition',
    (draft) => {
      const send = draft.pick(
        draft.sends().filter(({ placed, partition }) => placed.length > 0 && partition !== undefined),
      );
      const [placed] = send?.placed ?? [];
      if (placed === undefined) return false;
      placed.partition++;
      return true;
    },
  ],
  [
    'int-nonmonotonic-send',
    'values of one send are written in another order',
    (draft) => {
      const send = draft.pick(
        draft
          .sends()
          .filter(
            ({ producer, values }) =>
              producer !== undefined && values.filter((value) => isRead(draft, value)).length > 1,
          ),
      );
      if (send === undefined) return false;
      const [a, b] = send.values.filter((value) => isRead(draft, value));
      if (placeOf(draft, a)?.partition !== placeOf(draft, b)?.partition) return false;
      forgetPlaces(draft, send.values);
      swapEverywhere(draft, a ?? '', b ?? '');
      return true;
    },
  ],
  [
    'nonmonotonic-send',
    'sends of an idempotent producer are written in another order',
    (draft) => {
      const one = draft.pick(
        draft.sites().filter(({ value }) => draft.sendOf(value)?.producer !== undefined),
      );
      if (one === undefined) return false;
      const send = draft.sendOf(one.value);
      const other = draft.pick(
        draft.sites().filter(({ value, partition }) => {
          const second = draft.sendOf(value);
          return (
            partition === one.partition &&
            second?.producer === send?.producer &&
            second?.invoke !== send?.invoke
          );
        }),
      );
      if (other === undefined) return false;
      forgetPlaces(draft, [one.value, other.value]);
      swapEverywhere(draft, one.value, other.value);
      return true;
    },
  ],
  [
    'nonmonotonic-send',
    'what is sent after an acknowledgement is acknowledged before it',
    (draft) => {
      const first = draft.pick(draft.acked().filter(({ placed }) => (placed[0]?.offset ?? 0) > 0));
      const later = draft.pick(
        draft
          .acked()
          .filter(
            ({ invoke, placed }) =>
              invoke.index > (first?.done.index ?? Infinity) &&
              placed[0]?.partition === first?.placed[0]?.partition,
          ),
      );
      if (first?.placed[0] === undefined || later?.placed[0] === undefined) return false;
      later.placed[0].offset = first.placed[0].offset + first.placed[0].count - 1;
      return true;
    },
  ],
];
