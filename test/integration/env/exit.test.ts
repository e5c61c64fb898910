import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { type EndOfNode, exitContract, type FatalCall } from '../../env/exit-contract.ts';

const SCRIPT = fileURLToPath(new URL('exit-process.ts', import.meta.url));

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '');

function end(calls: readonly FatalCall[], logger = 'works'): Promise<EndOfNode> {
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify({ calls, logger })], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (some) => (output.stdout += some));
  child.stderr.on('data', (some) => (output.stderr += some));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      try {
        const lines = linesOf(output.stderr).map((line) => {
          const { level, msg, ...fields } = JSON.parse(line);
          return { level, message: msg, fields };
        });
        resolve({ status: status ?? undefined, lines, afterwards: linesOf(output.stdout) });
      } catch {
        reject(new Error(`ended with ${status} and said: ${output.stderr}`));
      }
    });
  });
}

describe('the exit of a process', () => {
  exitContract({ end });
});
