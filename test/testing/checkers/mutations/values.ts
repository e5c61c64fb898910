/** Values that are lost, doubled, or come from nowhere. */
import type { Row } from './mutation.ts';
import { failSend, isInsideOfRun, isPassed, isPassedFinally, isRead, removeFinally } from './spots.ts';

export const LOSSES: readonly Row[] = [
  [
    'lost-write',
    'readers pass by an acknowledged value',
    (draft) => {
      const one = draft.pick(
        draft.ackedValues().filter(({ partition, offset }) => isPassed(draft, partition, offset)),
      );
      if (one === undefined) return false;
      return draft.removeRecords(({ value }) => value === one.value) > 0;
    },
  ],
  [
    'lost-write',
    'the log closes over an acknowledged value',
    (draft) => {
      const one = draft.pick(
        draft.ackedValues().filter(({ partition, offset }) => isPassed(draft, partition, offset)),
      );
      if (one === undefined) return false;
      draft.removeRecords(({ value }) => value === one.value);
      for (const site of draft.sites())
        if (site.partition === one.partition && site.offset > one.offset)
          site.part.records[site.at] = [site.offset - 1, site.value];
      return true;
    },
  ],
  [
    'lost-write',
    'final readers pass by an acknowledged value that was read before',
    (draft) => {
      const one = draft.pick(
        draft
          .ackedValues()
          .filter(
            ({ value, partition, offset }) =>
              isRead(draft, value) && isPassedFinally(draft, partition, offset),
          ),
      );
      if (one === undefined) return false;
      return removeFinally(draft, one.value);
    },
  ],
  [
    'lost-write',
    'final readers pass by a value of unknown fate that was read before',
    (draft) => {
      const site = draft.pick(
        draft
          .sites()
          .filter(
            ({ event, value, partition, offset }) =>
              event.index < draft.finalAt &&
              draft.sendOf(value)?.done?.type === 'info' &&
              isPassedFinally(draft, partition, offset),
          ),
      );
      return site !== undefined && removeFinally(draft, site.value);
    },
  ],
  [
    'lost-write',
    'a value acknowledged nobody knows where is nowhere',
    (draft) => {
      const send = draft.pick(
        draft
          .sends()
          .filter(
            ({ done, acks, placed, partition }) =>
              done?.type === 'ok' &&
              acks === 'all' &&
              placed.length === 0 &&
              partition !== undefined &&
              draft.finalAt >= 0,
          ),
      );
      if (send === undefined) return false;
      draft.removeRecords(({ value }) => value === send.values[0]);
      return draft.finalSites().some(({ partition }) => partition === send.partition);
    },
  ],
  [
    'lost-write',
    'one of several values acknowledged in runs is nowhere',
    (draft) => {
      const send = draft.pick(
        draft
          .sends()
          .filter(
            ({ acks, placed }) =>
              acks === 'all' &&
              placed.length > 1 &&
              placed.every(({ partition, offset }) => isPassedFinally(draft, partition, offset)),
          ),
      );
      return send !== undefined && draft.removeRecords(({ value }) => value === send.values[0]) > 0;
    },
  ],
  [
    'lost-write',
    'a value is lost under fewer lossy failures than it must bear',
    (draft) => {
      const one = draft.pick(
        draft.ackedValues().filter(({ partition, offset }) => isPassed(draft, partition, offset)),
      );
      if (one === undefined) return false;
      return draft.removeRecords(({ value }) => value === one.value) > 0;
    },
    'lossy',
  ],
  [
    'unseen',
    'all final readers end too early',
    (draft) => {
      const last = draft.pick(
        draft
          .ackedValues()
          .filter(
            ({ send, partition, offset }) =>
              offset === draft.endOf(partition) - 1 && send.done.index < draft.finalAt,
          ),
      );
      if (last === undefined) return false;
      removeFinally(draft, last.value);
      return true;
    },
  ],
  [
    'unseen',
    'no final reader reads a partition',
    (draft) => {
      const one = draft.pick(draft.ackedValues().filter(({ send }) => send.done.index < draft.finalAt));
      if (one === undefined) return false;
      const { finalAt } = draft;
      return (
        draft.removeRecords(({ event, partition }) => event.index > finalAt && partition === one.partition) >
        0
      );
    },
  ],
  [
    'unseen',
    'what was read before, of unknown fate, is behind the end of all final readers',
    (draft) => {
      const site = draft.pick(
        draft
          .sites()
          .filter(
            ({ event, value, partition, offset }) =>
              event.index < draft.finalAt &&
              draft.sendOf(value)?.done?.type === 'info' &&
              offset === draft.endOf(partition) - 1,
          ),
      );
      return site !== undefined && removeFinally(draft, site.value);
    },
  ],
];

export const VALUES: readonly Row[] = [
  [
    'duplicate',
    'a value of an idempotent producer is written again',
    (draft) => {
      const site = draft.pick(
        draft.finalSites().filter(({ value }) => draft.sendOf(value)?.producer !== undefined),
      );
      return site !== undefined && draft.appendFinally(site.partition, site.value);
    },
  ],
  [
    'duplicate',
    'a value is written to a second partition',
    (draft) => {
      const site = draft.pick(
        draft.finalSites().filter(({ value }) => {
          const send = draft.sendOf(value);
          return send?.producer !== undefined && send.partition === undefined;
        }),
      );
      const other = draft.pick(draft.finalSites().filter(({ partition }) => partition !== site?.partition));
      return site !== undefined && other !== undefined && draft.appendFinally(other.partition, site.value);
    },
  ],
  [
    'duplicate',
    'a batch is written again at once, and all behind it moves',
    (draft) => {
      const site = draft.pick(
        draft.sites().filter(({ value }) => draft.sendOf(value)?.producer !== undefined),
      );
      if (site === undefined || isInsideOfRun(draft, site.partition, site.offset + 1)) return false;
      draft.moveOffsets(site.partition, (offset) => (offset > site.offset ? offset + 1 : offset));
      for (const { part } of draft.parts()) {
        const at =
          part.partition === site.partition
            ? part.records.findIndex(([offset]) => offset === site.offset)
            : -1;
        if (at >= 0) part.records.splice(at + 1, 0, [site.offset + 1, site.value]);
        if (at >= 0 && part.highWatermark === site.offset + 1) part.highWatermark++;
      }
      return true;
    },
  ],
  ['G1a', 'a send that certainly failed has been acknowledged before', (draft) => failSend(draft, 'ok')],
  ['G1a', 'a send that certainly failed took effect', (draft) => failSend(draft, 'info')],
  [
    'precommitted-read',
    'a value is read before its send begins',
    (draft) => {
      const site = draft.pick(draft.sites());
      const send = site === undefined ? undefined : draft.sendOf(site.value);
      const first = draft.sites().find(({ value }) => value === site?.value);
      if (send === undefined || first === undefined) return false;
      const { invoke, done } = send;
      draft.postpone(
        done !== undefined && done.index < first.event.index ? [invoke, done] : [invoke],
        first.event,
      );
      return true;
    },
  ],
  [
    'phantom',
    'a record has a value that nobody sent',
    (draft) => {
      const site = draft.pick(draft.finalSites());
      return site !== undefined && draft.appendFinally(site.partition, 'nobody');
    },
  ],
  [
    'phantom',
    'a record has a value of another topic',
    (draft) => {
      const site = draft.pick(draft.finalSites());
      draft.insert(0, 'other', { f: 'send', topic: 'other', values: ['stray'], acks: 0 });
      return site !== undefined && draft.appendFinally(site.partition, 'stray');
    },
  ],
  [
    'phantom',
    'a record has a value that was sent to another partition',
    (draft) => {
      const site = draft.pick(
        draft.finalSites().filter(({ value }) => draft.sendOf(value)?.partition !== undefined),
      );
      const other = draft.pick(draft.finalSites().filter(({ partition }) => partition !== site?.partition));
      return site !== undefined && other !== undefined && draft.appendFinally(other.partition, site.value);
    },
  ],
  [
    'phantom',
    'one reader sees a value that nobody sent',
    (draft) => {
      const site = draft.pick(draft.sites());
      site?.part.records.splice(site.at, 1, [site.offset, 'nobody']);
      return site !== undefined;
    },
  ],
  [
    'corrupted-payload',
    'one payload is damaged',
    (draft) => {
      const site = draft.pick(draft.sites());
      site?.part.records.splice(site.at, 1, [site.offset, `corrupted:${site.value}`]);
      return site !== undefined;
    },
  ],
];
