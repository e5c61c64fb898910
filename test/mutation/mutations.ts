/**
 * The slips of a hand, one at a time: a comparison flipped, an await lost or moved, a call forgotten. Where a slip changes
 * words only (a message, the log, a metric) or an assertion, which any run would meet, it is none.
 */
import { outwards, parseSource, type Syntax, walk } from './syntax.ts';

/** Replaces `[start, end)` of the text. */
export interface Mutation {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** `< -> <=`. */
  readonly change: string;
}

const FLIPPED = new Map([
  ['<', '<='],
  ['<=', '<'],
  ['>', '>='],
  ['>=', '>'],
  ['===', '!=='],
  ['!==', '==='],
]);
const NEGATED = new Map([
  ['<', '>='],
  ['<=', '>'],
  ['>', '<='],
  ['>=', '<'],
]);
const OTHER_LOGIC = new Map([
  ['&&', '||'],
  ['||', '&&'],
]);
const OTHER_BOUND = new Map([
  ['Math.max', 'Math.min'],
  ['Math.min', 'Math.max'],
]);

/** Calls that only tell, or whose arguments do. */
const TELLING =
  /^(assert|refusal|describe\w*|\w+Text)$|(^|\.)#?(logger|log|metrics|report|note(FetchRefused)?)\.?(trace|debug|info|warn|error|add|inc|observe|set)?$/;
const TOLD = /logger\.\w+$|\.#?report$|^assert$|noteFetchRefused$/;

/** In the order of the text. */
export function mutationsOf(source: string): Mutation[] {
  const found: Mutation[] = [];
  for (const node of walk(parseSource(source))) {
    if (isWords(node, source)) continue;
    for (const mutate of MUTATORS) found.push(...mutate(node, source));
  }
  return found.toSorted((a, b) => a.start - b.start);
}

type Mutator = (node: Syntax, source: string) => Mutation[];

const textOf = ({ start, end }: Syntax, source: string): string => source.slice(start, end);
const brief = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= 60 ? line : `${line.slice(0, 57)}...`;
};

function replaced({ start, end }: Syntax, text: string, change: string): Mutation {
  return { start, end, text, change };
}

const comparisons: Mutator = (node, source) => {
  const [left, right] = [node.part('left'), node.part('right')];
  const operator = String(node.word('operator'));
  if (node.type !== 'BinaryExpression' || left === undefined || right === undefined) return [];
  return [FLIPPED.get(operator), NEGATED.get(operator)].flatMap((other) => {
    if (other === undefined) return [];
    const text = `${textOf(left, source)} ${other} ${textOf(right, source)}`;
    return [replaced(node, text, `${operator} -> ${other}`)];
  });
};

const logic: Mutator = (node, source) => {
  const [left, right] = [node.part('left'), node.part('right')];
  const operator = String(node.word('operator'));
  const other = OTHER_LOGIC.get(operator);
  if (node.type !== 'LogicalExpression' || other === undefined) return [];
  if (left === undefined || right === undefined) return [];
  const text = `((${textOf(left, source)}) ${other} (${textOf(right, source)}))`;
  return [replaced(node, text, `${operator} -> ${other}`)];
};

const oneOff: Mutator = (node, source) => {
  const [left, right] = [node.part('left'), node.part('right')];
  const operator = String(node.word('operator'));
  if (node.type !== 'BinaryExpression' || (operator !== '+' && operator !== '-')) return [];
  if (left === undefined || right?.word('value') !== 1) return [];
  return [replaced(node, textOf(left, source), `${operator} 1 dropped`)];
};

const conditions: Mutator = (node, source) => {
  const test = node.part('test');
  if (test === undefined) return [];
  const what = { IfStatement: 'if', ConditionalExpression: '?:', WhileStatement: 'while' }[node.type];
  if (what === undefined) return [];
  const values = node.type === 'WhileStatement' ? ['false'] : ['true', 'false'];
  return values.map((value) => replaced(test, value, `${what} (${brief(textOf(test, source))}) -> ${value}`));
};

const awaits: Mutator = (node, source) => {
  const argument = node.part('argument');
  if (node.type !== 'AwaitExpression' || argument === undefined) return [];
  return [replaced(node, textOf(argument, source), 'await removed')];
};

const drops: Mutator = (node, source) => {
  if (!isEffect(node)) return [];
  return [replaced(node, ';', `dropped: ${brief(textOf(node, source))}`)];
};

const moves: Mutator = (node, source) => {
  if (node.type !== 'BlockStatement') return [];
  return node.children.flatMap((first, index) => {
    const second = node.children[index + 1];
    if (second === undefined || isWords(second, source)) return [];
    if (!(isEffect(first) && isEffect(second)) && !hasAwait(first) && !hasAwait(second)) return [];
    if (![first, second].every(isMovable)) return [];
    const [a, b] = [textOf(first, source), textOf(second, source)];
    const between = source.slice(first.end, second.start);
    const change = `moved behind the next: ${brief(a)}`;
    return [{ start: first.start, end: second.end, text: b + between + a, change }];
  });
};

const bounds: Mutator = (node, source) => {
  const callee = node.part('callee');
  const other = callee === undefined ? undefined : OTHER_BOUND.get(textOf(callee, source));
  if (node.type !== 'CallExpression' || callee === undefined || other === undefined) return [];
  return [replaced(callee, other, `${textOf(callee, source)} -> ${other}`)];
};

const MUTATORS: readonly Mutator[] = [comparisons, logic, oneOff, conditions, awaits, drops, moves, bounds];

/** A statement that is there for what it does. */
function isEffect(node: Syntax): boolean {
  const effects = ['CallExpression', 'AwaitExpression', 'AssignmentExpression', 'UpdateExpression'];
  return (
    node.type === 'ExpressionStatement' &&
    effects.includes(node.part('expression')?.type ?? '') &&
    !isSuper(node)
  );
}

function isSuper(node: Syntax): boolean {
  return node.part('expression')?.part('callee')?.type === 'Super';
}

function isMovable(node: Syntax): boolean {
  return isEffect(node) || node.type === 'VariableDeclaration';
}

function hasAwait(node: Syntax): boolean {
  for (const inner of walk(node)) if (inner.type === 'AwaitExpression') return true;
  return false;
}

/** Within what is only told to somebody, an assertion, or a constructor. */
function isWords(node: Syntax, source: string): boolean {
  const own = node.part('expression')?.part('callee');
  if (own !== undefined && TOLD.test(textOf(own, source))) return true;
  for (const at of outwards(node)) {
    // What is forgotten there, nothing works without.
    if (at.type === 'MethodDefinition' && at.word('kind') === 'constructor') return true;
    if (at.type === 'ThrowStatement' || at.type === 'TemplateLiteral') return true;
    const callee = at.part('callee');
    if (at !== node && callee !== undefined && TELLING.test(textOf(callee, source))) return true;
    const name = at.type === 'FunctionDeclaration' ? at.part('id') : undefined;
    if (name !== undefined && /Text$|^describe/.test(textOf(name, source))) return true;
  }
  return false;
}
