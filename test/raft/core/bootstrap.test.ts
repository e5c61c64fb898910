import { describe, expect, it } from 'vitest';
import { type BootstrapQuestion, decideBootstrap, type IdentifyReply } from '../../../src/raft/core/index.ts';
import { key } from './fixture.ts';

const ALL = [key(1), key(2), key(3)];

function fresh(id: number, founders = ALL): [number, IdentifyReply] {
  return [id, { voter: key(id), clusterId: `proposal-${id}`, voters: [], founders }];
}

function member(id: number, voters = ALL): [number, IdentifyReply] {
  return [id, { voter: key(id), clusterId: 'agreed', voters, founders: [] }];
}

function decide(answers: [number, IdentifyReply][], question: Partial<BootstrapQuestion> = {}) {
  const self = { self: key(2), clusterId: 'proposal-2', seeksVote: true, configured: [1, 2, 3] };
  return decideBootstrap({ ...self, answers: new Map(answers), askers: new Map(), ...question });
}

describe('a new node', () => {
  it('founds a quorum only when every configured voter has answered and is as new as itself', () => {
    expect(decide([fresh(1)])).toEqual({ kind: 'wait' });
    expect(decide([fresh(1), fresh(3)])).toEqual({
      kind: 'join',
      voters: [key(1), key(2), key(3)],
      clusterId: 'proposal-1',
      isNew: true,
    });
  });

  it('comes to the same quorum as all others who found it', () => {
    const third = decide([fresh(1), fresh(2)], { self: key(3), clusterId: 'proposal-3' });
    expect(third).toEqual(decide([fresh(1), fresh(3)]));
  });

  it('joins an established quorum that has its disk, whoever else is silent', () => {
    expect(decide([member(3)])).toMatchObject({ kind: 'join', clusterId: 'agreed', isNew: false });
  });

  it('never takes the place of the voter whose disk was lost', () => {
    const decision = decide([member(1), member(3)], { self: key(2, 'wiped') });
    expect(decision).toMatchObject({ kind: 'follow', isReplaced: true });
  });

  it('does not found a quorum beside an established one, even if most are new', () => {
    const voters = [key(1), key(2, 'old'), key(3, 'old')];
    expect(decide([member(1, voters), fresh(3)])).toMatchObject({ kind: 'follow', isReplaced: true });
  });

  it('waits for a person when nodes belong to different quorums, or one directory is a copy', () => {
    expect(decide([member(1), member(3, [key(3)])])).toMatchObject({ kind: 'conflict' });
    const copy: [number, IdentifyReply] = [
      1,
      { voter: key(1, 'dir-2'), clusterId: '', voters: [], founders: ALL },
    ];
    expect(decide([copy, fresh(3)])).toMatchObject({ kind: 'conflict' });
  });

  it('is alone when it is the only configured voter', () => {
    expect(decide([], { configured: [2] })).toMatchObject({ kind: 'join', voters: [key(2)], isNew: true });
  });

  it('follows when it is configured to, and waits for a quorum to follow', () => {
    expect(decide([fresh(1), fresh(3)], { seeksVote: false })).toEqual({ kind: 'wait' });
    expect(decide([member(1)], { seeksVote: false, self: key(9) })).toMatchObject({
      kind: 'follow',
      isReplaced: false,
    });
  });

  it('founds nothing until every voter has named the same nodes with the same disks', () => {
    expect(decide([fresh(1, [key(1), key(2), key(3, '')]), fresh(3)])).toEqual({ kind: 'wait' });
    expect(decide([fresh(1), fresh(3, [key(1, ''), key(2, ''), key(3)])])).toEqual({ kind: 'wait' });
    expect(decide([fresh(1), fresh(3)])).toMatchObject({ kind: 'join' });
  });
});

describe('lists that differ', () => {
  it('are a conflict that names both nodes, both lists and the setting, whoever else is silent', () => {
    expect(decide([fresh(3, [key(3), key(2)])])).toEqual({
      kind: 'conflict',
      nodeId: 3,
      detail:
        'controller.quorum.voters is [1, 2, 3] at node 2 but [2, 3] at node 3: give both the same list and start them again',
    });
    expect(decide([fresh(1), fresh(3, [...ALL, key(4)])])).toMatchObject({ kind: 'conflict', nodeId: 3 });
  });

  it('are the same list in any order', () => {
    expect(decide([fresh(1, ALL.toReversed()), fresh(3)], { configured: [3, 1, 2] })).toMatchObject({
      kind: 'join',
      voters: ALL,
    });
  });

  it('are a conflict too when only the other knows of it and asks', () => {
    const askers = new Map([[4, [key(2), key(4)]]]);
    const conflict = decide([fresh(1), fresh(3)], { askers });
    expect(conflict).toMatchObject({
      kind: 'conflict',
      nodeId: 4,
      detail: expect.stringContaining('[2, 4] at node 4'),
    });
  });

  it('are a conflict when a node named as a voter founds nothing', () => {
    const conflict = decide([fresh(1), fresh(3, [])]);
    expect(conflict).toMatchObject({
      kind: 'conflict',
      detail: expect.stringContaining('node 3 is no controller'),
    });
  });

  it('are a conflict when an id is that of two nodes', () => {
    const other = [key(1), key(2), key(3, 'another')];
    const conflict = decide([fresh(1, other), fresh(3)]);
    expect(conflict).toMatchObject({
      kind: 'conflict',
      detail: expect.stringContaining('two nodes have the id 3'),
    });
  });

  it('do not matter to a member of the quorum, to its replacement, or to a node without a vote', () => {
    expect(decide([member(1)], { configured: [1, 2] })).toMatchObject({ kind: 'join', voters: ALL });
    expect(decide([member(1)], { configured: [1, 2], self: key(2, 'wiped') })).toMatchObject({
      kind: 'follow',
    });
    expect(decide([member(1)], { configured: [1], self: key(9), seeksVote: false })).toMatchObject({
      kind: 'follow',
    });
  });

  it('keep a controller out of a quorum that was founded without it, and say so', () => {
    const alone = [key(1)];
    expect(decide([member(1, alone), fresh(3)])).toEqual({
      kind: 'conflict',
      nodeId: 1,
      detail:
        'node 1 belongs to a quorum of nodes [1], founded without node 2, whose controller.quorum.voters is [1, 2, 3]: ' +
        "correct the list that is wrong; if it was the founders', start them with new directories",
    });
  });
});
