import { describe, expect, it } from 'vitest';
import type { MetadataImage } from '../../../src/metadata/index.ts';
import { MemberNews } from '../../../src/testing/sim/cluster/watch/member-news.ts';

function imageOf(offset: number, partitionEpoch: number, isr: readonly number[]) {
  const partitions = [{ partitionEpoch, isr }];
  const findById = (id: string) => (id === 'A' ? { partitions } : undefined);
  return { offset, topics: { findById } } as unknown as Pick<MetadataImage, 'offset' | 'topics'>;
}

const PLACE = { topicId: 'A', name: 'a-b-0' };

describe('the news of members', () => {
  it('knows who has left after what a leader knows, and nobody else', () => {
    const news = new MemberNews();
    expect(news.hasLeft(3, PLACE, 4)).toBe(false);
    news.see(imageOf(10, 5, [1, 2]));
    expect(news.hasLeft(3, PLACE, 4)).toBe(true);
    expect(news.hasLeft(2, PLACE, 4)).toBe(false);
    expect(news.hasLeft(3, PLACE, 5), 'who is about to join').toBe(false);
  });

  it('knows that all have left a topic that is deleted', () => {
    const news = new MemberNews();
    const deleted = { topicId: 'B', name: 'b-0' };
    expect(news.hasLeft(2, deleted, 4)).toBe(false);
    news.see(imageOf(10, 5, [1, 2]));
    expect(news.hasLeft(2, deleted, 4)).toBe(true);
  });

  it('keeps the newest of what nodes have', () => {
    const news = new MemberNews();
    news.see(imageOf(10, 5, [1, 2]));
    news.see(imageOf(9, 4, [1, 2, 3]));
    expect(news.hasLeft(3, PLACE, 4)).toBe(true);
  });
});
