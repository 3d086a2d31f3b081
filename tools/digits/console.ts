import { styleText } from 'node:util';
import { duration } from '../../src/core/duration.ts';

type Style = Parameters<typeof styleText>[0];

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const style = (format: Style, text: string) => (colour ? styleText(format, text) : text);

/** A heading for one part of the job. */
export const section = (title: string): void => console.log(`\n${style('bold', title)}`);

/** One line: what, and its value. */
export const line = (what: string, value: string): void =>
  console.log(`  ${style('dim', what.padEnd(24))} ${value}`);

export const text = (value: string): void => console.log(value.replace(/^/gm, '  '));

export const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
export const integer = (n: number): string => n.toLocaleString('en-US');

const scaled = (n: number, units: readonly string[], step: number): string => {
  let value = n;
  let unit = 0;
  while (Math.abs(value) >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toPrecision(3)} ${units[unit]}`;
};

export const bytes = (n: number): string => scaled(n, ['B', 'kB', 'MB', 'GB', 'TB'], 1000);
export const flops = (n: number): string =>
  scaled(n, ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP'], 1000);
export const seconds = (s: number): string => duration(s * 1000, { µs: 1, ms: 1, s: 1 });
