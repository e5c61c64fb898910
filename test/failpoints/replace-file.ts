/** Replaces a file in the directory it is given three times, one after the other, and says so. */
import { replaceFile } from '../../src/env/index.ts';
import { nodeFiles } from '../../src/env/node/index.ts';

const path = `${process.argv[2]}/file`;
for (const text of ['one', 'two', 'three']) {
  await replaceFile(nodeFiles(), path, Buffer.from(text));
  process.stdout.write(`${text}\n`);
}
