import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const MAIN = join(import.meta.dirname, '../../../bin/quorate.js');

it('a command whose reader goes away ends quietly, without a stack trace', async () => {
  const child = spawn(process.execPath, [MAIN, 'config', 'explain', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let complaints = '';
  child.stderr.on('data', (text: Buffer) => {
    complaints += text.toString();
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  expect(complaints).toBe('');
  expect(status).toBe(0);
});
