import type { ConfigKey } from './config-keys.ts';

/** What is wrong with `value` for `key`, in words that name the allowed values; undefined when it is fine. */
export function configValueProblem(key: ConfigKey, value: string): string | undefined {
  switch (key.type) {
    case 'integer': {
      const number = Number(value);
      if (!/^-?\d+$/.test(value) || !Number.isSafeInteger(number))
        return `must be a whole number, not "${value}"`;
      const min = key.min ?? Number.MIN_SAFE_INTEGER;
      const max = key.max ?? Number.MAX_SAFE_INTEGER;
      return number < min || number > max ? `must be from ${min} to ${max}, not ${value}` : undefined;
    }
    case 'number': {
      const number = Number(value);
      if (value.trim() === '' || !Number.isFinite(number)) return `must be a number, not "${value}"`;
      const { min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = key;
      return number < min || number > max ? `must be from ${min} to ${max}, not ${value}` : undefined;
    }
    case 'boolean':
      return value === 'true' || value === 'false' ? undefined : `must be true or false, not "${value}"`;
    case 'enum':
      return key.values?.includes(value)
        ? undefined
        : `must be one of ${key.values?.join(', ')}, not "${value}"`;
    case 'list': {
      const wrong = splitList(value).find((word) => key.values !== undefined && !key.values.includes(word));
      return wrong === undefined ? undefined : `may hold ${key.values?.join(', ')}, not "${wrong}"`;
    }
    case 'string':
      return undefined;
  }
}

/** Members of a comma separated list, trimmed, without empty ones. */
export function splitList(value: string): string[] {
  return value
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** The known key nearest to a mistyped one (edit distance at most 3), for an error's last words. */
export function nearestKey(name: string, keys: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = 4;
  for (const key of keys) {
    const distance = editDistance(name, key);
    if (distance < bestDistance) [best, bestDistance] = [key, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replace, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
