/** Readers that do not go on where they were. */
import type { Row } from './mutation.ts';
import { firstAfter, followers, isInsideOfRun, nextParts, pairInPart } from './spots.ts';

export const READING: readonly Row[] = [
  [
    'offset-gap',
    "an offset is nobody's",
    (draft) => {
      const pair = pairInPart(draft, () => true);
      if (pair === undefined || isInsideOfRun(draft, pair[1].partition, pair[1].offset)) return false;
      const { partition, offset: gap } = pair[1];
      draft.moveOffsets(partition, (offset) => (offset >= gap ? offset + 1 : offset));
      return true;
    },
  ],
  [
    'offset-gap',
    'a log begins behind its beginning',
    (draft) => {
      const site = draft.pick(draft.finalSites().filter(({ offset }) => offset === 0));
      if (site === undefined) return false;
      draft.moveOffsets(site.partition, (offset) => offset + 1);
      return true;
    },
  ],
  [
    'offset-gap',
    "between two polls an offset is nobody's",
    (draft) => {
      const [, next] = nextParts(draft) ?? [];
      const gap = next?.part.records[0]?.[0];
      if (next === undefined || gap === undefined || isInsideOfRun(draft, next.part.partition, gap))
        return false;
      draft.moveOffsets(next.part.partition, (offset) => (offset >= gap ? offset + 1 : offset));
      return true;
    },
  ],
  [
    'int-poll-skip',
    'a poll leaves out a record',
    (draft) => {
      const site = draft.pick(
        draft
          .sites()
          .filter(
            ({ part, at, partition, offset }) =>
              at > 0 && at < part.records.length - 1 && draft.readCount(partition, offset) > 1,
          ),
      );
      site?.part.records.splice(site.at, 1);
      return site !== undefined;
    },
  ],
  [
    'int-poll-skip',
    'a poll leaves out a record that only its sender knows',
    (draft) => {
      const one = draft.pick(
        draft
          .ackedValues()
          .filter(({ partition, offset }) =>
            draft
              .sites()
              .some(
                (site) =>
                  site.partition === partition &&
                  site.offset === offset &&
                  site.at > 0 &&
                  site.at < site.part.records.length - 1,
              ),
          ),
      );
      if (one === undefined) return false;
      return draft.removeRecords(({ value }) => value === one.value) > 0;
    },
  ],
  [
    'poll-skip',
    'a reader goes on one record too far',
    (draft) => {
      const [, next] =
        nextParts(
          draft,
          ({ part }) =>
            part.records.length > 1 && draft.readCount(part.partition, part.records[0]?.[0] ?? -1) > 1,
        ) ?? [];
      return next?.part.records.shift() !== undefined;
    },
  ],
  [
    'poll-skip',
    'a whole poll is lost',
    (draft) => {
      const [, middle] =
        nextParts(
          draft,
          (site) =>
            site.part.records.every(([offset]) => draft.readCount(site.part.partition, offset) > 1) &&
            followers(draft, site) !== undefined,
        ) ?? [];
      middle?.part.records.splice(0);
      return middle !== undefined;
    },
  ],
  [
    'poll-skip',
    'a reader assigned to the beginning begins later',
    (draft) => {
      const site = draft.pick(
        draft
          .finalSites()
          .filter(
            ({ event, offset, part, partition }) =>
              event.process.startsWith('final-') &&
              offset === 0 &&
              part.records.length > 1 &&
              draft.readCount(partition, 0) > 1,
          ),
      );
      return site?.part.records.shift() !== undefined;
    },
  ],
  [
    'poll-skip',
    'a reader assigned to an offset begins later',
    (draft) => {
      const [assign, first] = firstAfter(draft, (from) => typeof from === 'number' && from > 0) ?? [];
      if (assign === undefined || first === undefined || assign.from !== first.part.records[0]?.[0])
        return false;
      const before = (assign.from as number) - 1;
      if (draft.readCount(first.part.partition, before) === 0) return false;
      assign.from = before;
      return true;
    },
  ],
  [
    'poll-skip',
    'a reader assigned to the end misses what is sent afterwards',
    (draft) => {
      const [, first] =
        firstAfter(
          draft,
          (from) => from === 'end',
          ({ part }, assignedAt) => {
            const [offset = 0, value = ''] = part.records[0] ?? [];
            const sentAt = draft.sendOf(value)?.invoke.index ?? 0;
            return (
              part.records.length > 1 && sentAt > assignedAt && draft.readCount(part.partition, offset) > 1
            );
          },
        ) ?? [];
      if (first === undefined) return false;
      first.part.records.shift();
      return true;
    },
  ],
  [
    'int-nonmonotonic-poll',
    'a poll brings two records in the wrong order',
    (draft) => {
      const [site, next] = pairInPart(draft, () => true) ?? [];
      if (site === undefined || next === undefined) return false;
      site.part.records.splice(site.at, 2, [next.offset, next.value], [site.offset, site.value]);
      return true;
    },
  ],
  [
    'int-nonmonotonic-poll',
    'a poll brings a record twice',
    (draft) => {
      const site = draft.pick(draft.sites());
      site?.part.records.splice(site.at, 0, [site.offset, site.value]);
      return site !== undefined;
    },
  ],
  [
    'nonmonotonic-poll',
    'a poll brings the last record of the poll before',
    (draft) => {
      const [site, next] = nextParts(draft) ?? [];
      const last = site?.part.records.at(-1);
      if (last === undefined) return false;
      next?.part.records.unshift(last);
      return next !== undefined;
    },
  ],
  [
    'nonmonotonic-poll',
    'a poll is delivered again',
    (draft) => {
      const [site, next] = nextParts(draft) ?? [];
      if (site === undefined || next === undefined) return false;
      next.part.records.splice(0, Infinity, ...site.part.records);
      return true;
    },
  ],
];
