/** What is thrown at `fatal`, by name: a name can be told to another process. */
export type Thrown = 'error' | 'text' | 'nothing' | 'unprintable' | 'long';

export function makeThrown(kind: Thrown): unknown {
  switch (kind) {
    case 'error':
      return new Error('the disk is gone');
    case 'text':
      return 'just words';
    case 'nothing':
      return undefined;
    case 'unprintable':
      return {
        toJSON() {
          throw new Error('not printable');
        },
      };
    case 'long':
      return new Error('x'.repeat(1_000_000));
  }
}
