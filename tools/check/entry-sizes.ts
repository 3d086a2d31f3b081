/** What a page downloads for a use of the library: bundled and minified by esbuild, then gzipped. */
import { gzipSync } from 'node:zlib';
import { downloadOf } from '../../bench/run/download.ts';

export interface Use {
  readonly name: string;
  /** What a user's program says. */
  readonly code: string;
  /** Most bytes that it may come to, gzipped. */
  readonly budget: number;
  /** Texts that stand for parts of the library that must not come along. */
  readonly without?: readonly (keyof typeof marks)[];
}

/** Texts that survive minifying, each from one part of the library. */
const marks = {
  'WebAssembly modules': /[A-Za-z0-9+/]{2000}/,
  WGSL: /@workgroup_size/,
  'the trainer': /this training was disposed/,
  'the engine': /this engine was disposed/,
};

const KB = 1024;
/** Raised on purpose only: the size is part of what users choose this library for. */
export const uses: readonly Use[] = [
  { name: 'biphase', code: `export * from 'biphase'`, budget: 240 * KB },
  {
    ...{ name: 'biphase/kernels', code: `export * from 'biphase/kernels'`, budget: 60 * KB },
    without: ['WGSL', 'the trainer', 'the engine'],
  },
  {
    ...{ name: 'biphase/webgpu', code: `export * from 'biphase/webgpu'`, budget: 168 * KB },
    without: ['WebAssembly modules'],
  },
  { name: 'biphase/node', code: `export * from 'biphase/node'`, budget: 240 * KB },
  {
    // All of it, as hardly anyone takes it: what is used alone comes along. Arrays, folds, NPY and IDX files, streams and what makes others of them.
    ...{ name: 'data alone', code: `export { data } from 'biphase'`, budget: 11 * KB },
    without: ['WebAssembly modules', 'WGSL', 'the trainer', 'the engine'],
  },
  {
    ...{ name: 'optim alone', code: `export { optim } from 'biphase'`, budget: 7 * KB },
    without: ['WebAssembly modules', 'WGSL', 'the trainer', 'the engine'],
  },
  {
    ...{ name: 'inspect() alone', code: `export { inspect } from 'biphase'`, budget: 84 * KB },
    without: ['WebAssembly modules', 'WGSL', 'the trainer', 'the engine'],
  },
  { name: 'nothing', code: `import 'biphase'; import 'biphase/kernels'`, budget: KB },
];

/** The gzipped bytes that a page with a use of what is installed in `folder` downloads, and the parts that came along against the rule. */
export async function sizeOf({ code, without = [] }: Use, folder: string) {
  const texts = await downloadOf(code, folder, { platform: 'neutral' });
  return {
    bytes: texts.reduce((sum, text) => sum + gzipSync(text, { level: 9 }).length, 0),
    unwanted: without.filter((part) => texts.some((text) => marks[part].test(text))),
  };
}
