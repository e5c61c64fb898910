/** The syntax of a source file: as much of ESTree as the mutations need. */
import { parseAst } from 'vitest/node';

export interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly parent: Syntax | undefined;
  readonly children: readonly Syntax[];
  /** By the name of the property; of several the first. */
  part(name: string): Syntax | undefined;
  /** A property that is no syntax: an operator, a name, a value. */
  word(name: string): unknown;
}

/** Throws what the parser throws. */
export function parseSource(text: string): Syntax {
  return adopt(parseAst(text, { lang: 'ts' }), undefined);
}

/** All of `root`, each node before what is within it. */
export function* walk(root: Syntax): Generator<Syntax> {
  yield root;
  for (const child of root.children) yield* walk(child);
}

/** `node`, then what it is within, outwards. */
export function* outwards(node: Syntax | undefined): Generator<Syntax> {
  for (let at = node; at !== undefined; at = at.parent) yield at;
}

function adopt(raw: object, parent: Syntax | undefined): Syntax {
  const children: Syntax[] = [];
  const parts = new Map<string, Syntax>();
  const words = new Map<string, unknown>();
  const node = {
    type: '',
    start: 0,
    end: 0,
    parent,
    children,
    part: (name: string) => parts.get(name),
    word: (name: string) => words.get(name),
  };
  for (const [key, value] of Object.entries(raw)) {
    if (key === 'type' || key === 'start' || key === 'end') Object.assign(node, { [key]: value });
    else if (isSyntax(value)) take(key, value);
    else if (Array.isArray(value)) for (const item of value) isSyntax(item) && take(key, item);
    else words.set(key, value);
  }
  return node;

  function take(key: string, value: object): void {
    const child = adopt(value, node);
    children.push(child);
    if (!parts.has(key)) parts.set(key, child);
  }
}

function isSyntax(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
