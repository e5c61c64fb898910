/** Spots of a history where something can be changed. */
import { type Draft, type PartSite, partsOf, type Site } from '../draft.ts';

export function isRead(draft: Draft, value: string): boolean {
  return draft.sites().some((site) => site.value === value);
}

export function placeOf(draft: Draft, value: string | undefined): Site | undefined {
  return draft.sites().find((site) => site.value === value);
}

/** Some reader got what is before and what is behind the offset, going on from one to the other. */
export function isPassed(draft: Draft, partition: number, offset: number): boolean {
  return draft
    .parts()
    .some(
      ({ part }) =>
        part.partition === partition &&
        part.records.some(([at]) => at === offset - 1) &&
        part.records.some(([at]) => at === offset + 1),
    );
}

export function isPassedFinally(draft: Draft, partition: number, offset: number): boolean {
  return draft.finalSites().some((site) => site.partition === partition && site.offset > offset);
}

export function removeFinally(draft: Draft, value: string): boolean {
  const { finalAt } = draft;
  return draft.removeRecords((site) => site.event.index > finalAt && site.value === value) > 0;
}

export function failSend(draft: Draft, before: 'ok' | 'info'): boolean {
  const send = draft.pick(
    draft
      .sends()
      .filter(({ done, values }) => done?.type === before && values.some((value) => isRead(draft, value))),
  );
  if (send?.done === undefined) return false;
  send.done.type = 'fail';
  return true;
}

/** Two records that follow one another in one poll. */
export function pairInPart(draft: Draft, isWanted: (site: Site) => boolean): [Site, Site] | undefined {
  const sites = draft.sites();
  const pairs = sites.flatMap((site, index): [Site, Site][] => {
    const next = sites[index + 1];
    return next?.part === site.part && isWanted(site) ? [[site, next]] : [];
  });
  return draft.pick(pairs);
}

/** What a reader got next from a partition, when it just went on. */
export function followers(draft: Draft, { event, part }: PartSite): PartSite | undefined {
  const later = draft.events.slice(event.index + 1).filter(({ process }) => process === event.process);
  for (const one of later) {
    const { operation, type } = one;
    if (operation.f === 'crash' || operation.f === 'assign' || (operation.f === 'poll' && type === 'info'))
      return undefined;
    if (operation.f !== 'poll' || type !== 'ok') continue;
    const found = partsOf(one).find((site) => site.part.partition === part.partition);
    if (found !== undefined && found.part.records.length > 0) return found;
  }
  return undefined;
}

export function nextParts(
  draft: Draft,
  isWanted: (next: PartSite) => boolean = () => true,
): [PartSite, PartSite] | undefined {
  const full = draft.parts().filter(({ part }) => part.records.length > 0);
  const pairs = full.flatMap((site): [PartSite, PartSite][] => {
    const next = followers(draft, site);
    return next !== undefined && isWanted(next) ? [[site, next]] : [];
  });
  return draft.pick(pairs);
}

/** An assignment of one partition, and the first records that it led to. */
export function firstAfter(
  draft: Draft,
  isWanted: (from: 'beginning' | 'end' | number | undefined) => boolean,
  isGood: (first: PartSite, assignedAt: number) => boolean = () => true,
): [{ from?: 'beginning' | 'end' | number }, PartSite] | undefined {
  const found = draft.events.flatMap((event): [{ from?: 'beginning' | 'end' | number }, PartSite][] => {
    if (event.operation.f !== 'assign' || event.type !== 'ok') return [];
    return event.operation.positions.flatMap((position): [typeof position, PartSite][] => {
      const part = { topic: position.topic, partition: position.partition, records: [] };
      const first = isWanted(position.from) ? followers(draft, { event, part }) : undefined;
      return first !== undefined && isGood(first, event.index) ? [[position, first]] : [];
    });
  });
  return draft.pick(found);
}

export function swapValues(a: Site, b: Site): boolean {
  a.part.records[a.at] = [a.offset, b.value];
  b.part.records[b.at] = [b.offset, a.value];
  return true;
}

export function swapEverywhere(draft: Draft, a: string, b: string): void {
  draft.replaceValues(({ value }) => (value === a ? b : value === b ? a : value));
}

/** Acknowledgements of these values do not say where they are. */
export function forgetPlaces(draft: Draft, values: readonly string[]): void {
  for (const value of values) for (const placed of draft.sendOf(value)?.placed ?? []) placed.offset = -1;
}

/** Some acknowledgement tells of values before and behind the border as of one run. */
export function isInsideOfRun(draft: Draft, partition: number, border: number): boolean {
  return draft
    .sends()
    .some(({ placed }) =>
      placed.some(
        (one) => one.partition === partition && one.offset < border && one.offset + one.count > border,
      ),
    );
}

export function hasCrashed(draft: Draft, process: string, from: number, to: number): boolean {
  return draft.events
    .slice(from, to)
    .some((event) => event.operation.f === 'crash' && event.process === process);
}

/** An answer about an end is before what its client had read when it asked. */
export function lowerEnd(draft: Draft, isWanted: (event: Draft['events'][number]) => boolean): boolean {
  const found = draft.events.flatMap((event) => {
    const { operation, type, process, invokedAt = 0 } = event;
    if (operation.f !== 'ends' || type !== 'ok' || !isWanted(event)) return [];
    return operation.partitions.flatMap((one) => {
      const last = draft
        .sites()
        .filter(
          (site) =>
            site.event.process === process &&
            site.event.index < invokedAt &&
            site.partition === one.partition &&
            !hasCrashed(draft, process, site.event.index, invokedAt),
        )
        .at(-1);
      return last === undefined ? [] : [{ one, last }];
    });
  });
  const chosen = draft.pick(found);
  if (chosen === undefined) return false;
  chosen.one.end = chosen.last.offset;
  return true;
}
