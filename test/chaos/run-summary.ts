/** What the last lines of a run of chaos come to, for docs/RELIABILITY.md: what was printed is what is written down. */

/** The page's text with the runs whose output `logs` are in place of what stood there. */
export function withRuns(page: string, logs: readonly string[]): string {
  const [open, close] = ['<!-- chaos:begin -->', '<!-- chaos:end -->'];
  const head = page.slice(0, page.indexOf(open) + open.length);
  return `${head}\n\n${tableOf(logs)}\n\n${page.slice(page.indexOf(close))}`;
}

/** A column a run. */
function tableOf(logs: readonly string[]): string {
  const columns = logs.map((log) => Object.entries(summaryOf(log)));
  const names = columns[0]?.map(([name]) => name) ?? [];
  const [first = [], ...rest] = names.map((name, i) => [
    name,
    ...columns.map((cells) => cells[i]?.[1] ?? ''),
  ]);
  const lines = [first, first.map(() => '---'), ...rest];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const SECONDS = /^ *\d+\.\d /;

/** By name, in the order of the table. Throws for a log that is not of a run that came to its end. */
export function summaryOf(log: string): Readonly<Record<string, string>> {
  const lines = log.split('\n').map((line) => line.replace(SECONDS, ''));
  const find = (pattern: RegExp): string[] => {
    for (const line of lines) {
      const found = pattern.exec(line);
      if (found !== null) return found.slice(1);
    }
    throw new Error(`no line says ${pattern}`);
  };
  const kills = (title: string): string => {
    const line = lines.find((one) => one.startsWith(title)) ?? '';
    const figures = /: (\d+) times, .*median (\d+) ms, p99 (\d+) ms/.exec(line);
    return figures === null ? 'none' : `${figures[1]}: ${figures[2]} ms, ${figures[3]} ms`;
  };
  const counted = (what: string): string =>
    lines.find((line) => line.startsWith(`${what}: `))?.slice(what.length + 2) ?? '0';
  const [seed = '', minutes = '', network = ''] = find(/^seed (\d+), ([\d.]+) minutes, (\w+)/);
  const [outcome = ''] = find(/^seed \d+: (everything held|\d+ findings)/);
  const [acknowledged = '', unknown = '', read = ''] = find(
    /^records: (\d+) acknowledged, \d+ failed, (\d+) unknown.*; (\d+) read/,
  );
  const [judged = ''] = find(/^of these (.*)/);
  const [caching = '', lost = ''] = find(/^with write.caching: (\d+) acknowledged, (\d+) of them lost/);
  return {
    Seed: seed,
    'How long, on what network': `${minutes} minutes, ${network}`,
    Outcome: outcome,
    'Records acknowledged; in doubt; read': `${acknowledged}; ${unknown}; ${read}`,
    'Of these': judged,
    'Processes killed': counted('processes killed'),
    'Power losses; bytes not synced that went': `${counted('power losses')}; ${counted('power losses: bytes lost')}`,
    'Kills that it can do without: median and p99 to the first acknowledgement everywhere':
      kills('KILLS OF WHAT IT CAN'),
    'Kills of what it needs, from the last restart: the same': kills('KILLS OF WHAT IT NEEDS'),
    'Kills while something else is wrong: the same': kills('KILLS ON TOP'),
    'With `write.caching`: acknowledged; lost with the power': `${caching}; ${lost}`,
  };
}
