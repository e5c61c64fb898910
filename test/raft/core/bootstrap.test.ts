import { describe, expect, it } from 'vitest';
import { type BootstrapQuestion, decideBootstrap, type IdentifyReply } from '../../../src/raft/core/index.ts';
import { key } from './fixture.ts';

function fresh(id: number): [number, IdentifyReply] {
  return [id, { voter: key(id), clusterId: `proposal-${id}`, voters: [] }];
}

function member(id: number, voters = [key(1), key(2), key(3)]): [number, IdentifyReply] {
  return [id, { voter: key(id), clusterId: 'agreed', voters }];
}

function decide(answers: [number, IdentifyReply][], question: Partial<BootstrapQuestion> = {}) {
  const self = { self: key(2), clusterId: 'proposal-2', seeksVote: true, configured: [1, 2, 3] };
  return decideBootstrap({ ...self, answers: new Map(answers), ...question });
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
    const copy: [number, IdentifyReply] = [1, { voter: key(1, 'dir-2'), clusterId: '', voters: [] }];
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
});
