import { expect, it } from 'vitest';
import type { Logger } from '../../src/env/index.ts';

export interface LoggerFixture {
  readonly logger: Logger;
  /** What was logged so far, in order. */
  lines(): { level: string; message: string; fields: Record<string, unknown> }[];
}

/** What every `Logger` promises: nothing is held back, a child adds its fields. */
export function loggerContract(make: () => LoggerFixture): void {
  it('a line is there when the call returns, with level, message and fields', () => {
    const { logger, lines } = make();
    logger.error({ a: 1 }, 'broken');
    expect(lines()).toMatchObject([{ level: 'error', message: 'broken', fields: { a: 1 } }]);
    logger.warn({}, 'bad');
    logger.info({ topic: 't' }, 'good');
    logger.debug({}, 'fine');
    expect(lines().map(({ level }) => level)).toEqual(['error', 'warn', 'info', 'debug']);
  });

  it('a child adds its fields to its lines, and its children theirs', () => {
    const { logger, lines } = make();
    const child = logger.child({ node: 1 }).child({ topic: 't' });
    child.info({ offset: 5 }, 'said');
    logger.info({}, 'plain');
    expect(lines()[0]!.fields).toMatchObject({ node: 1, topic: 't', offset: 5 });
    expect(lines()[1]!.fields).not.toHaveProperty('node');
  });
}
