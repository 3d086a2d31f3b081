import { builtin } from './load.ts';

/**
 * V8 can join two neighbouring vectors of 128 bits into one of 256 (its revectorizer, x64 with AVX2). The flag holds for a whole
 * process and for all WebAssembly that is optimized after it, so it is only set where somebody asks.
 */

interface Host {
  readonly versions?: Readonly<Record<string, string | undefined>>;
  readonly arch?: string;
}

/** V8 13 was the first whose joined vectors gave the same bits; from 15.4 on the flag has another name. */
const FIRST = [13, 0] as const;
const RENAMED = [15, 4] as const;

const reached = (version: string, [major, minor]: readonly [number, number]): boolean => {
  const [a = 0, b = 0] = version.split('.').map(Number);
  return a > major || (a === major && b >= minor);
};

/** Of this process; undefined where it has another engine, or does not say. */
export const v8Version = (): string | undefined => {
  const { versions } = (globalThis as { process?: Host }).process ?? {};
  return versions?.v8;
};

/**
 * The versions whose wide code passes all tests of kernels, backends and graphs, where CI runs them. Another one runs every family of
 * kernels, before and after optimizing, when it first makes vectors wide: tenths of a second.
 */
const PROVEN = ['13.6.', '14.6.'];
export const provenOn = (v8 = ''): boolean => PROVEN.some((version) => v8.startsWith(version));

/** V8's name of the switch. */
export const flagOf = (v8: string): string =>
  reached(v8, RENAMED) ? 'wasm-revectorize' : 'experimental-wasm-revectorize';

/** Why vectors can't be made wide from inside this runtime; undefined where they can. */
export function whyFixed(
  { versions = {}, arch }: Host = (globalThis as { process?: Host }).process ?? {},
): string | undefined {
  const { v8, bun, deno } = versions;
  if (bun) return "Bun's engine joins no vectors";
  if (deno) return `Deno takes V8's flags when it starts (--v8-flags=--${flagOf(v8 ?? '13.0')})`;
  if (!v8) return 'only Node lets a program switch them on (docs/EMBEDDING.md has the flags of browsers)';
  if (arch !== 'x64') return `V8 joins vectors on x64 only, not on ${arch}`;
  if (!reached(v8, FIRST)) return `V8 ${v8} can't join vectors; Node 24 is the first that can`;
  if (!builtin('node:v8')) return 'node:v8 is out of reach here';
  return undefined;
}

/** Sets the flag, or takes it back: for all WebAssembly of this process that is optimized from now on. */
export function setWide(on: boolean): void {
  const { versions } = (globalThis as { process?: Host }).process!;
  builtin('node:v8')!.setFlagsFromString(`--${on ? '' : 'no-'}${flagOf(versions!.v8!)}`);
}
