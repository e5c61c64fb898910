import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LAYERS } from './rules.ts';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

export interface Source {
  /** Below src/ or test/, with '/'. */
  readonly path: string;
  readonly text: string;
  /** `text` with the insides of comments, strings and regular expressions blanked; same length and lines. */
  readonly code: string;
}

export interface Import {
  readonly from: Source;
  /** As written. */
  readonly specifier: string;
  /** Path below src/, for an import of our own. */
  readonly target: string | undefined;
}

export function readSources(folder: 'src' | 'test'): Source[] {
  const sources: Source[] = [];
  const walk = (relative: string): void => {
    for (const name of readdirSync(join(ROOT, folder, relative)).sort()) {
      const path = posix.join(relative, name);
      const full = join(ROOT, folder, path);
      if (statSync(full).isDirectory()) walk(path);
      else if (name.endsWith('.ts')) {
        const text = readFileSync(full, 'utf8');
        sources.push({ path, text, code: blank(text) });
      }
    }
  };
  walk('');
  return sources;
}

/** Every import and re-export, type imports and dynamic ones included. */
export function importsOf(source: Source): Import[] {
  const found: Import[] = [];
  for (const match of source.text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^'\n]+)'/g)) {
    const keyword = source.code.slice(match.index, match.index + 4);
    if (keyword !== 'from' && keyword !== 'impo') continue;
    const specifier = match[1] as string;
    const target = specifier.startsWith('.')
      ? posix.normalize(posix.join(posix.dirname(source.path), specifier))
      : undefined;
    found.push({ from: source, specifier, target });
  }
  return found;
}

const MODULES = LAYERS.flat().sort((a, b) => b.length - a.length);

/** The module of a path below src/; undefined when the table does not know it. */
export function moduleOf(path: string): string | undefined {
  if (!path.includes('/')) return '(root)';
  return MODULES.find((module) => path.startsWith(`${module}/`));
}

export function layerOf(module: string): number {
  return LAYERS.findIndex((line) => line.includes(module));
}

/** `path:line` of a position. */
export function placeOf(source: Source, index: number): string {
  return `${source.path}:${source.text.slice(0, index).split('\n').length}`;
}

/** Where the bracket that opens at `index` of `code` is closed again, or the end. */
export function closingBracket(code: string, index: number): number {
  let depth = 0;
  for (let i = index; i < code.length; i++) {
    if ('([{'.includes(code[i] as string)) depth++;
    else if (')]}'.includes(code[i] as string) && --depth === 0) return i;
  }
  return code.length;
}

/** Blanks comments, strings, templates (not the code inside of them) and regular expressions. */
export function blank(text: string): string {
  const out = [...text];
  const erase = (from: number, to: number): void => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  const units = text.length === out.length ? text : out.join('');
  /** Depths of braces at which a template's `${` was opened. */
  const templates: number[] = [];
  let depth = 0;
  let i = 0;
  const template = (start: number): number => {
    let at = start;
    while (at < units.length) {
      if (units[at] === '\\') at += 2;
      else if (units[at] === '`') return at + 1;
      else if (units[at] === '$' && units[at + 1] === '{') {
        templates.push(depth++);
        return at + 2;
      } else erase(at, ++at);
    }
    return at;
  };
  while (i < units.length) {
    const char = units[i] as string;
    const two = units.slice(i, i + 2);
    if (two === '//' || two === '/*') {
      const end = two === '//' ? units.indexOf('\n', i) : units.indexOf('*/', i) + 2;
      const stop = end < i ? units.length : end;
      erase(i, stop);
      i = stop;
    } else if (char === "'" || char === '"') {
      let end = i + 1;
      while (end < units.length && units[end] !== char) end += units[end] === '\\' ? 2 : 1;
      erase(i + 1, end);
      i = end + 1;
    } else if (char === '`') i = template(i + 1);
    else if (char === '/' && isRegexPlace(out, i)) {
      const end = endOfRegex(units, i);
      erase(i + 1, end);
      i = end + 1;
    } else {
      if (char === '{') depth++;
      if (char === '}') {
        depth--;
        if (templates.at(-1) === depth) {
          templates.pop();
          i = template(i + 1);
          continue;
        }
      }
      i++;
    }
  }
  return out.join('');
}

/** A slash begins a regular expression where a value may begin. */
function isRegexPlace(out: readonly string[], index: number): boolean {
  let at = index - 1;
  while (at >= 0 && /\s/.test(out[at] as string)) at--;
  if (at < 0) return true;
  if (/[(,=:[!&|?{};<>+\-*%~^]/.test(out[at] as string)) return true;
  return /\b(return|typeof|case|in|of)$/.test(out.slice(Math.max(0, at - 8), at + 1).join(''));
}

function endOfRegex(text: string, index: number): number {
  let inClass = false;
  for (let i = index + 1; i < text.length; i++) {
    const char = text[i];
    if (char === '\\') i++;
    else if (char === '\n') return i;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return i;
  }
  return text.length;
}
