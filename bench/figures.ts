/** Medians, and how figures are shown. */
import { cpus, totalmem } from 'node:os';

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export interface Row {
  readonly what: string;
  readonly settings: string;
  readonly figures: Readonly<Record<string, string>>;
}

export function printRow({ what, settings, figures }: Row): void {
  const shown = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  console.log(`${what.padEnd(12)} ${settings.padEnd(46)} ${shown.join('   ')}`);
}

export function describeMachine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor';
  return `${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform}`;
}

export const count = (value: number): string => Math.round(value).toLocaleString('en');
export const fixed = (value: number, digits = 1): string => value.toFixed(digits);
