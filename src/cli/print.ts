import process from 'node:process';

/** Progress and remarks: stderr, so that stdout holds results alone. */
export const say = (line = ''): void => void process.stderr.write(`${line}\n`);

/** Results: stdout. */
export const print = (line = ''): void => void process.stdout.write(`${line}\n`);

/** One JSON document, or lines for people. */
export function report(json: boolean, document: unknown, lines: readonly string[]): void {
  if (json) print(JSON.stringify(document, null, 2));
  else for (const line of lines) print(line);
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  return rows.map((r) =>
    r
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  );
}

export const bytes = (n: number): string =>
  n < 1e4 ? `${n} bytes` : n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(2)} MB`;

export const time = (ms: number): string =>
  ms < 1 ? `${(ms * 1e3).toFixed(1)} us` : ms < 1e3 ? `${ms.toFixed(1)} ms` : `${(ms / 1e3).toFixed(1)} s`;
