import { describe, expect, it } from 'vitest';
import type { Uuid } from '../../../../src/base/index.ts';
import { decidePlace, type Place } from '../../../../src/broker/replica/core/replica-place.ts';
import { LOST_DIRECTORY, UNASSIGNED_DIRECTORY } from '../../../../src/metadata/index.ts';

const A: Uuid = 'AAAAAAAAAAAAAAAAAAAAQQ';
const B: Uuid = 'BBBBBBBBBBBBBBBBBBBBQQ';
const GONE: Uuid = 'GGGGGGGGGGGGGGGGGGGGQQ';

interface Case extends Partial<Omit<Place, 'registration'>> {
  /** The directory that the metadata name. */
  readonly named?: Uuid;
  readonly inSync?: boolean;
  readonly leads?: boolean;
  readonly partitionEpoch?: number;
}

/** Broker 1 of 1 and 2, which has A and B, online; unless told otherwise it follows and is not in sync. */
function decide(one: Case) {
  const { named = A, inSync = false, leads = false, partitionEpoch = 5, ...place } = one;
  return decidePlace({
    nodeId: 1,
    isNew: false,
    log: 'none',
    foundIn: undefined,
    online: [A, B],
    someOffline: false,
    directoryCount: 2,
    ...place,
    registration: {
      replicas: [2, 1],
      isr: inSync ? [1] : [2],
      addingReplicas: [],
      removingReplicas: [],
      leader: leads ? 1 : -1,
      leaderRecoveryState: 'recovered',
      leaderEpoch: 3,
      partitionEpoch,
      directories: [GONE, named],
    },
  });
}

const HOST = { kind: 'host' };
const MAKE = { kind: 'make' };
const REPLACE = { kind: 'replace' };
const COUNTED: readonly Case[] = [{ inSync: true }, { leads: true }];

describe('a replica without a log', () => {
  it('that is new is made in the directory named for it, else in any', () => {
    for (const counted of [{}, ...COUNTED])
      for (const fresh of [{ isNew: true }, { partitionEpoch: 0 }]) {
        expect(decide({ ...counted, ...fresh, named: B })).toEqual({ kind: 'make', directoryId: B });
        for (const named of [UNASSIGNED_DIRECTORY, GONE])
          expect(decide({ ...counted, ...fresh, named, someOffline: true })).toEqual(MAKE);
      }
  });

  it('is not made anew while it counts as in sync and its directory, which is here, lacks it', () => {
    for (const counted of COUNTED)
      expect(decide(counted)).toEqual({
        kind: 'leave',
        why: `its log in ${A} is gone, and it counts as in sync`,
        mustAct: true,
      });
    expect(decide({})).toEqual({ kind: 'make', directoryId: A });
  });

  it('of a broker with one directory is made in it: it was named before there was a log', () => {
    for (const counted of [{}, ...COUNTED])
      expect(decide({ ...counted, directoryCount: 1, online: [A] })).toEqual({
        kind: 'make',
        directoryId: A,
      });
  });

  it('waits for a directory that is offline, unless the log is known to be lost', () => {
    for (const counted of [{}, ...COUNTED])
      for (const named of [GONE, UNASSIGNED_DIRECTORY])
        expect(decide({ ...counted, named, someOffline: true })).toMatchObject({
          kind: 'leave',
          mustAct: false,
        });
    expect(decide({ named: LOST_DIRECTORY, someOffline: true })).toEqual(MAKE);
  });

  it('whose directory is gone, or its log lost, is made anew unless it counts as in sync', () => {
    for (const named of [GONE, LOST_DIRECTORY]) {
      expect(decide({ named })).toEqual(MAKE);
      for (const counted of COUNTED)
        expect(decide({ ...counted, named })).toMatchObject({ kind: 'leave', mustAct: true });
    }
  });

  it('whose directory nobody told is made', () => {
    for (const counted of [{}, ...COUNTED])
      expect(decide({ ...counted, named: UNASSIGNED_DIRECTORY })).toEqual(MAKE);
  });
});

describe('a sound log', () => {
  const sound = { log: 'sound', foundIn: B } as const;

  it('is hosted in the directory that the metadata name, or when they name none', () => {
    for (const counted of [{}, ...COUNTED])
      for (const named of [B, UNASSIGNED_DIRECTORY, LOST_DIRECTORY])
        expect(decide({ ...counted, ...sound, named })).toEqual(HOST);
  });

  it('that a person moved is hosted while the directory it comes from is there', () => {
    for (const counted of [{}, ...COUNTED]) expect(decide({ ...counted, ...sound, named: A })).toEqual(HOST);
  });

  it('in another directory is not taken for the last one in sync, whose directory is not here', () => {
    for (const counted of COUNTED)
      for (const someOffline of [true, false])
        expect(decide({ ...counted, ...sound, named: GONE, someOffline })).toEqual({
          kind: 'leave',
          why: expect.stringMatching(
            `directory ${GONE}, which is not here; .* found in ${B} may be an older`,
          ),
          mustAct: true,
        });
    expect(decide({ ...sound, named: GONE })).toEqual(HOST);
  });

  it('in a directory without an id, as in tests, is hosted', () => {
    expect(decide({ ...sound, foundIn: undefined, named: GONE, inSync: true })).toEqual(HOST);
  });
});

describe('a log that cannot be used', () => {
  it('for its directory is kept as it is', () => {
    for (const named of [A, GONE, LOST_DIRECTORY])
      expect(decide({ log: 'offline', foundIn: A, named })).toEqual(HOST);
  });

  it('for damage is replaced once nobody counts on it and the metadata know that it is lost, not before', () => {
    const damaged = { log: 'damaged', foundIn: A } as const;
    expect(decide({ ...damaged, named: LOST_DIRECTORY })).toEqual(REPLACE);
    expect(decide({ ...damaged, named: A })).toEqual(HOST);
    for (const counted of COUNTED)
      for (const named of [A, LOST_DIRECTORY])
        expect(decide({ ...counted, ...damaged, named })).toEqual(HOST);
  });
});
