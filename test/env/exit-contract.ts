import { expect, it } from 'vitest';
import { EXIT_STATUS, type FatalReason } from '../../src/env/index.ts';
import type { Thrown } from './thrown.ts';

/** One call of `fatal`. */
export type FatalCall = readonly [reason: FatalReason, error: Thrown];

export interface EndOfNode {
  readonly status: number | undefined;
  /** What is in the log when nothing of the node runs any more, in order. */
  readonly lines: readonly { level: string; message: string; fields: Record<string, unknown> }[];
  /** What ran of the node after the first call, its caller aside: timers, for instance. */
  readonly afterwards: readonly string[];
}

export interface ExitFixture {
  /** Starts a node, with a logger that works or one that throws, and lets it end itself as often as `calls` say. */
  end(calls: readonly FatalCall[], logger?: 'works' | 'throws'): Promise<EndOfNode>;
}

const REASONS = Object.keys(EXIT_STATUS) as FatalReason[];

/** What every `Exit` promises: the node does end, for the first reason, with its status, and that is in the log. */
export function exitContract({ end }: ExitFixture): void {
  it.each(REASONS)(
    '%s ends the node with its status, and the log tells the reason and the error',
    async (reason) => {
      const { status, lines } = await end([[reason, 'error']]);
      expect(status).toBe(EXIT_STATUS[reason]);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({ level: 'error', fields: { reason, status } });
      expect(lines[0]?.message).toContain('the process ends');
      const { message, stack } = lines[0]!.fields.error as Error;
      expect(message).toContain('the disk is gone');
      expect(stack).toContain('thrown.ts');
    },
  );

  it('the first reason is the one that counts, in the status and in the log', async () => {
    const { status, lines } = await end([
      ['storage', 'error'],
      ['bug', 'text'],
      ['fenced-for-ever', 'error'],
    ]);
    expect(status).toBe(EXIT_STATUS.storage);
    expect(lines.map(({ fields }) => fields.reason)).toEqual(['storage']);
  });

  it('nothing of the node runs afterwards', async () => {
    expect((await end([['bug', 'error']])).afterwards).toEqual([]);
  });

  it('an error of any shape is an end: no Error, none at all, one that cannot be printed, a very long one', async () => {
    const text = await end([['bug', 'text']]);
    expect(text.lines[0]?.fields.error).toBe('just words');
    const long = await end([['bug', 'long']]);
    expect((long.lines[0]!.fields.error as Error).message.length).toBe(1_000_000);
    const others = await Promise.all([end([['bug', 'nothing']]), end([['bug', 'unprintable']])]);
    for (const { status } of [text, long, ...others]) expect(status).toBe(EXIT_STATUS.bug);
    expect(others[0].lines).toHaveLength(1);
  });

  it('a logger that fails keeps no node alive', async () => {
    const { status, lines } = await end([['sync-failed', 'error']], 'throws');
    expect(status).toBe(EXIT_STATUS['sync-failed']);
    expect(lines).toEqual([]);
  });
}
