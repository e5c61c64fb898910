import { describe, expect, it } from 'vitest';
import { summaryOf, withRuns } from './run-summary.ts';

const LOG = `   1.5 seed 7, 30 minutes, namespaces, data in /tmp/x
1924.4 power losses: 99
1924.4 power losses: bytes lost: 38570887
1924.4 processes killed: 220
1924.4 KILLS OF WHAT IT CAN DO WITHOUT, from the kill: 16 times, to the first ack everywhere median 251 ms, p99 557 ms, max 557 ms
1924.4   kill-broker: 2 times, to the first ack everywhere median 646 ms, p99 646 ms, max 646 ms
1924.4 KILLS OF WHAT IT NEEDS, from the start of the last node again: 0 times; 2 more that stopped nothing
1924.4 KILLS ON TOP OF SOMETHING ELSE, from the kill: 77 times, to the first ack everywhere median 1722 ms, p99 22280 ms, max 22280 ms
1924.4 records: 2498086 acknowledged, 6211 failed, 326654 unknown (56889 of them written); 190554162 read, 7561227 of them in the end
1924.4 of these 0 lost, 1 doubled
1924.4 with write.caching: 420476 acknowledged, 34496 of them lost with the power
1924.9 seed 7: 6 findings, data in /tmp/x
`;

describe('the summary of a run of chaos', () => {
  it('has what the run printed', () => {
    expect(Object.values(summaryOf(LOG))).toEqual([
      '7',
      '30 minutes, namespaces',
      '6 findings',
      '2498086; 326654; 190554162',
      '0 lost, 1 doubled',
      '220',
      '99; 38570887',
      '16: 251 ms, 557 ms',
      'none',
      '77: 1722 ms, 22280 ms',
      '420476; 34496',
    ]);
  });

  it('is refused for a run that did not come to its end', () => {
    expect(() => summaryOf(LOG.split('\n').slice(0, -2).join('\n'))).toThrow('everything held');
  });

  it('takes the place of the last one in the page, a column a run', () => {
    const page = withRuns('before <!-- chaos:begin --> old <!-- chaos:end --> after', [LOG, LOG]);
    expect(page).toMatch(/^before <!-- chaos:begin -->\n\n\| Seed \| 7 \| 7 \|\n\| --- \| --- \| --- \|\n/);
    expect(page).toMatch(/ \|\n\n<!-- chaos:end --> after$/);
    expect(page).not.toContain('old');
  });
});
