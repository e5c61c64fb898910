import { DYING_LEADERS } from '../dying-leaders.ts';
import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a broker that is fenced is elected',
  source: 'KIP-841; KIP-631',
  edits: [
    {
      file: 'src/metadata/election/election.ts',
      find: 'const isValid = (id: NodeId): boolean => targetIsr.includes(id) && isAcceptable(id);',
      replace: 'const isValid = (id: NodeId): boolean => targetIsr.includes(id);',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
  preset: DYING_LEADERS,
};
