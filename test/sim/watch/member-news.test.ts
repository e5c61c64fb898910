import { describe, expect, it } from 'vitest';
import type { MetadataImage } from '../../../src/metadata/index.ts';
import { MemberNews } from '../../../src/testing/sim/cluster/watch/member-news.ts';

function imageOf(offset: number, partitionEpoch: number, isr: readonly number[]) {
  const byName = new Map([['a-b', { partitions: [{ partitionEpoch, isr }] }]]);
  return { offset, topics: { byName } } as unknown as Pick<MetadataImage, 'offset' | 'topics'>;
}

describe('the news of members', () => {
  it('knows who has left after what a leader knows, and nobody else', () => {
    const news = new MemberNews();
    expect(news.hasLeft(3, 'a-b-0', 4)).toBe(false);
    news.see(imageOf(10, 5, [1, 2]));
    expect(news.hasLeft(3, 'a-b-0', 4)).toBe(true);
    expect(news.hasLeft(2, 'a-b-0', 4)).toBe(false);
    expect(news.hasLeft(3, 'a-b-0', 5), 'who is about to join').toBe(false);
    expect(news.hasLeft(3, 'a-b-1', 4)).toBe(false);
    expect(news.hasLeft(3, 'c-0', 4)).toBe(false);
  });

  it('keeps the newest of what nodes have', () => {
    const news = new MemberNews();
    news.see(imageOf(10, 5, [1, 2]));
    news.see(imageOf(9, 4, [1, 2, 3]));
    expect(news.hasLeft(3, 'a-b-0', 4)).toBe(true);
  });
});
