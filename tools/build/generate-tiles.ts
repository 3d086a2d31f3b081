/**
 * Writes the micro-kernels: a tile of C, rows x columns, kept in vector registers while K goes by. They differ only in
 * how often each line is repeated, and AssemblyScript has no loop that is surely unrolled, so they are generated.
 */

import { tileShapes as tiles } from '../../src/backend/wasm/tiles.ts';

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/**
 * C (rows x columns) = start + A B + bias, f32. A: a panel of `rows` floats for each k; B: `columns` floats for each k, ldb apart.
 * Rows of start and of C lie ldstart and ldc apart (in bytes; ldstart may be 0: one row for all). Accumulators are loaded
 * before the loop and stored after it, in adjacent pairs and with nothing but the bias (one row for all of C) added, which is
 * what lets V8 join neighbouring vectors into 256-bit ones. (Where PAIRS is false the bias is the caller's to add.)
 */
function f32Tile(rows: number, columns: number): string {
  const vectors = range(columns / 4);
  const row = (r: number) =>
    [
      `    const a${r} = v128.load32_splat(a, ${r * 4});`,
      ...vectors.map((v) => `    s${r}_${v} = madd(a${r}, b${v}, s${r}_${v});`),
    ].join('\n');
  return `
function f32_${rows}x${columns}(k: i32, a: usize, b: usize, ldb: usize, start: usize, ldstart: usize, c: usize, ldc: usize, bias: usize): void {
${loadTile(rows, columns)}
  for (const end = a + <usize>k * ${rows * 4}; a < end; a += ${rows * 4}, b += ldb) {
${vectors.map((v) => `    const b${v} = v128.load(b, ${v * 16});`).join('\n')}
${range(rows).map(row).join('\n')}
  }
  if (PAIRS) {
${vectors.map((v) => `  const e${v} = v128.load(bias, ${v * 16});`).join('\n')}
${storeTile(rows, columns, (r, v) => `f32x4.add(s${r}_${v}, e${v})`)}
  } else {
${storeTile(rows, columns)}
  }
}
`;
}

/** Accumulators s<row>_<vector>. One pointer walks down the rows: few of them stay alive in the loop. */
function loadTile(rows: number, columns: number): string {
  const loads = (r: number) =>
    range(columns / 4).map((v) => `  let s${r}_${v} = v128.load(start, ${v * 16});`);
  const lines = range(rows).flatMap((r) => [...(r > 0 ? ['  start += ldstart;'] : []), ...loads(r)]);
  return lines.join('\n');
}

function storeTile(rows: number, columns: number, value = (r: number, v: number) => `s${r}_${v}`): string {
  const stores = (r: number) => range(columns / 4).map((v) => `  v128.store(c, ${value(r, v)}, ${v * 16});`);
  return range(rows)
    .flatMap((r) => [...(r > 0 ? ['  c += ldc;'] : []), ...stores(r)])
    .join('\n');
}

/**
 * C (rows x columns of i32) += X W^T. For each group of K a word of each row of X, and of each column of W, side by side; see
 * matmul/matmul-i8. wide: words of two i16, by dot_i16x8. bytes: words of four bytes, X u8 and W i8, by the relaxed dot.
 */
function i8Tile(rows: number, columns: number, kind: 'wide' | 'bytes'): string {
  const vectors = range(columns / 4);
  const row = (r: number) =>
    [
      `    const x${r} = v128.load32_splat(x, ${r * 4});`,
      ...vectors.map((v) => `    ${dot(kind, `s${r}_${v}`, `x${r}`, `w${v}`)}`),
    ].join('\n');
  return `
function ${kind}_${rows}x${columns}(groups: i32, x: usize, w: usize, c: usize, ldc: usize): void {
  let start = c;
  const ldstart = ldc;
${loadTile(rows, columns)}
  for (const end = w + <usize>groups * ${columns * 4}; w < end; w += ${columns * 4}, x += ${rows * 4}) {
${vectors.map((v) => `    const w${v} = v128.load(w, ${v * 16});`).join('\n')}
${range(rows).map(row).join('\n')}
  }
${storeTile(rows, columns)}
}
`;
}

/** One group of K added to the sums of four outputs. */
const dot = (kind: 'wide' | 'bytes', sum: string, x: string, w: string) =>
  kind === 'wide'
    ? `${sum} = i32x4.add(${sum}, i32x4.dot_i16x8_s(${x}, ${w}));`
    : `${sum} = dotBytes(${w}, ${x}, ${sum});`;

const chooser = (
  name: string,
  prefix: string,
  list: readonly (readonly number[])[],
  parameters: string,
  call: string,
) => `
/** Runs the tile of this many rows and columns. */
export function ${name}(rows: i32, columns: i32, ${parameters}): void {
  switch (rows * 100 + columns) {
${list.map(([r, c]) => `    case ${r * 100 + c}: ${prefix}_${r}x${c}(${call}); break;`).join('\n')}
  }
}
`;

export function tileSource(): string {
  return [
    '// Made by tools/build/generate-tiles.ts. Do not edit.\n',
    "import { dotBytes, madd, PAIRS } from '../isa';\n",
    ...tiles.f32.map(([r, c]) => f32Tile(r, c)),
    chooser(
      'f32Tile',
      'f32',
      tiles.f32,
      'k: i32, a: usize, b: usize, ldb: usize, start: usize, ldstart: usize, c: usize, ldc: usize, bias: usize',
      'k, a, b, ldb, start, ldstart, c, ldc, bias',
    ),
    ...tiles.i8.flatMap(([r, c]) => [i8Tile(r, c, 'wide'), i8Tile(r, c, 'bytes')]),
    ...(['wide', 'bytes'] as const).map((kind) =>
      chooser(
        `${kind}Tile`,
        kind,
        tiles.i8,
        'groups: i32, x: usize, w: usize, c: usize, ldc: usize',
        'groups, x, w, c, ldc',
      ),
    ),
  ].join('');
}
