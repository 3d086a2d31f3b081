import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import process from 'node:process';
import { isatty } from 'node:tty';
import type { QuantizedOp } from '../node.ts';
import { jsonNumber } from './numbers.ts';

/** What a stream says that nobody reads any more. */
const GONE = ['EPIPE', 'EIO', 'EBADF', 'ECONNRESET', 'ENOTCONN', 'ERR_STREAM_DESTROYED'];

/**
 * Whoever reads what is printed may stop reading, as `head` does, or close the terminal. That ends the printing and nothing
 * else: nobody is there to be told. Where results can't be kept (a full disk), failed() says so.
 */
let failure: Error | undefined;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (stream === process.stdout && !GONE.includes(error.code ?? ''))
      failure ??= Object.assign(error, { path: 'stdout' });
  });

const terminals = [0, 1, 2].filter(isatty);
// Node aborts at its end where it can't reset a terminal that is gone, unless the descriptor is something else by then.
process.once('exit', () => {
  for (const descriptor of terminals.filter((d) => !isatty(d))) {
    closeSync(descriptor);
    openSync(devNull, descriptor === 0 ? 'r' : 'w');
  }
});

/** Why not all that was printed could be written; undefined where it could, or where nobody wanted it. */
export const failed = (): Error | undefined => failure;

let results: NodeJS.WriteStream = process.stdout;

/** For who writes a file to stdout: what is printed besides goes to stderr. */
export const resultsToStderr = (): void => {
  results = process.stderr;
};

/** Progress and remarks: stderr, so that stdout holds results alone. */
export const say = (line = ''): void => void process.stderr.write(`${line}\n`);

/** Results: stdout. */
export const print = (line = ''): void => void results.write(`${line}\n`);

/** One JSON document (numbers that JSON has not are texts in it), or lines for people. */
export function report(json: boolean, document: unknown, lines: readonly string[]): void {
  if (json)
    print(JSON.stringify(document, (_, value) => (typeof value === 'number' ? jsonNumber(value) : value), 2));
  else for (const line of lines) print(line);
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => rows.reduce((most, r) => Math.max(most, r[i].length), 0));
  return rows.map((r) =>
    r
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  );
}

export const bytes = (n: number): string =>
  n < 1e4 ? `${n} bytes` : n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(2)} MB`;

/** How each op of a quantized model runs, as a table. */
export const opRows = (ops: readonly QuantizedOp[]): string[][] => [
  ['layer', 'op', 'runs', ''],
  ...ops.map((r) => [r.path || '-', r.op, r.runs, r.reason ?? '']),
];
