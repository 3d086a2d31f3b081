/**
 * Writes the micro-kernels: a tile of C, rows x columns, kept in vector registers while K goes by. They differ only in
 * how often each line is repeated, and AssemblyScript has no loop that is surely unrolled, so they are generated.
 */

/** Rows x columns of the f32 tiles and of the int8 tiles; which of them wins depends on the engine. */
export const tiles = {
  f32: [
    [4, 8],
    [5, 8],
    [6, 8],
    [4, 16],
    [6, 16],
  ],
  i8: [
    [1, 8],
    [4, 8],
    [5, 8],
    [6, 8],
    [4, 16],
    [6, 16],
  ],
};

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/**
 * C (rows x columns, row stride ldc bytes) += A B. A: panel of `rows` floats for each k; B: panel of `columns` floats for
 * each k. Accumulators are loaded from C first and stored plainly after, in adjacent pairs, which is what lets V8 join
 * neighbouring vectors into 256-bit ones.
 */
function f32Tile(rows: number, columns: number): string {
  const vectors = range(columns / 4);
  const cells = range(rows).flatMap((r) => vectors.map((c) => [r, c]));
  return `
function f32_${rows}x${columns}(k: i32, a: usize, b: usize, c: usize, ldc: usize): void {
${range(rows)
  .map((r) => `  const c${r} = ${r === 0 ? 'c' : `c${r - 1} + ldc`};`)
  .join('\n')}
${cells.map(([r, v]) => `  let s${r}_${v} = v128.load(c${r}, ${v * 16});`).join('\n')}
  for (const end = a + <usize>k * ${rows * 4}; a < end; a += ${rows * 4}, b += ${columns * 4}) {
${vectors.map((v) => `    const b${v} = v128.load(b, ${v * 16});`).join('\n')}
${range(rows)
  .map(
    (r) =>
      `    const a${r} = v128.load32_splat(a, ${r * 4});\n${vectors.map((v) => `    s${r}_${v} = madd(a${r}, b${v}, s${r}_${v});`).join('\n')}`,
  )
  .join('\n')}
  }
${cells.map(([r, v]) => `  v128.store(c${r}, s${r}_${v}, ${v * 16});`).join('\n')}
}
`;
}

/**
 * C (rows x columns of i32) += X W^T. W: panels of `columns` vectors' worth for each group of K, see matmul/pack.
 * wide: X and W as i16, two of K at a time, by dot_i16x8. bytes: X u8 and W i8, four of K at a time, by the relaxed dot.
 */
function i8Tile(rows: number, columns: number, kind: 'wide' | 'bytes'): string {
  const vectors = range(columns / 4);
  const cells = range(rows).flatMap((r) => vectors.map((c) => [r, c]));
  const dot =
    kind === 'wide'
      ? (r: number, v: number) => `i32x4.add(s${r}_${v}, i32x4.dot_i16x8_s(x${r}, w${v}))`
      : (r: number, v: number) => `dotBytes(w${v}, x${r}, s${r}_${v})`;
  return `
function ${kind}_${rows}x${columns}(groups: i32, x: usize, ldx: usize, w: usize, c: usize, ldc: usize): void {
${range(rows)
  .map((r) => `  const c${r} = ${r === 0 ? 'c' : `c${r - 1} + ldc`};`)
  .join('\n')}
${cells.map(([r, v]) => `  let s${r}_${v} = v128.load(c${r}, ${v * 16});`).join('\n')}
${range(rows)
  .map((r) => `  let p${r} = ${r === 0 ? 'x' : `p${r - 1} + ldx`};`)
  .join('\n')}
  for (const end = w + <usize>groups * ${columns * 4}; w < end; w += ${columns * 4}) {
${vectors.map((v) => `    const w${v} = v128.load(w, ${v * 16});`).join('\n')}
${range(rows)
  .map(
    (r) =>
      `    const x${r} = v128.load32_splat(p${r});\n    p${r} += 4;\n${vectors.map((v) => `    s${r}_${v} = ${dot(r, v)};`).join('\n')}`,
  )
  .join('\n')}
  }
${cells.map(([r, v]) => `  v128.store(c${r}, s${r}_${v}, ${v * 16});`).join('\n')}
}
`;
}

const chooser = (name: string, prefix: string, list: number[][], parameters: string, call: string) => `
/** Runs the tile of this many rows and columns. */
export function ${name}(rows: i32, columns: i32, ${parameters}): void {
${prefix === 'bytes' ? '  if (!HAS_RELAXED_DOT) return;\n' : ''}  switch (rows * 100 + columns) {
${list.map(([r, c]) => `    case ${r * 100 + c}: ${prefix}_${r}x${c}(${call}); break;`).join('\n')}
  }
}
`;

export function tileSource(): string {
  return [
    '// Made by scripts/generate-tiles.ts. Do not edit.\n',
    "import { dotBytes, HAS_RELAXED_DOT, madd } from '../isa';\n",
    ...tiles.f32.map(([r, c]) => f32Tile(r, c)),
    chooser(
      'f32Tile',
      'f32',
      tiles.f32,
      'k: i32, a: usize, b: usize, c: usize, ldc: usize',
      'k, a, b, c, ldc',
    ),
    ...tiles.i8.flatMap(([r, c]) => [i8Tile(r, c, 'wide'), i8Tile(r, c, 'bytes')]),
    ...(['wide', 'bytes'] as const).map((kind) =>
      chooser(
        `${kind}Tile`,
        kind,
        tiles.i8,
        'groups: i32, x: usize, ldx: usize, w: usize, c: usize, ldc: usize',
        'groups, x, ldx, w, c, ldc',
      ),
    ),
  ].join('');
}
