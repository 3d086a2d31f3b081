/**
 * Writes the micro-kernels: a tile of C, rows x columns, kept in vector registers while K goes by. They differ only in
 * how often each line is repeated, and AssemblyScript has no loop that is surely unrolled, so they are generated.
 */

import { tileShapes as tiles } from '../src/backend/wasm/tiles.ts';

const rowWidths = [...new Set(tiles.i8.map(([, columns]) => columns))];

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/**
 * C (rows x columns) = start + A B, f32. A: a panel of `rows` floats for each k; B: `columns` floats for each k, ldb apart.
 * Rows of start and of C lie ldstart and ldc apart (in bytes; ldstart may be 0: one bias for all rows). Accumulators are loaded
 * before the loop and stored plainly after it, in adjacent pairs, which is what lets V8 join neighbouring vectors into
 * 256-bit ones.
 */
function f32Tile(rows: number, columns: number): string {
  const vectors = range(columns / 4);
  const row = (r: number) =>
    [
      `    const a${r} = v128.load32_splat(a, ${r * 4});`,
      ...vectors.map((v) => `    s${r}_${v} = madd(a${r}, b${v}, s${r}_${v});`),
    ].join('\n');
  return `
function f32_${rows}x${columns}(k: i32, a: usize, b: usize, ldb: usize, start: usize, ldstart: usize, c: usize, ldc: usize): void {
${loadTile(rows, columns)}
  for (const end = a + <usize>k * ${rows * 4}; a < end; a += ${rows * 4}, b += ldb) {
${vectors.map((v) => `    const b${v} = v128.load(b, ${v * 16});`).join('\n')}
${range(rows).map(row).join('\n')}
  }
${storeTile(rows, columns)}
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

function storeTile(rows: number, columns: number): string {
  const stores = (r: number) => range(columns / 4).map((v) => `  v128.store(c, s${r}_${v}, ${v * 16});`);
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

/**
 * One row of the same, several groups of K in each turn of the loop. A relaxed dot waits for the sum it adds to, so each
 * group of a turn has sums of its own; dot_i16x8 waits for nothing.
 */
function i8Row(columns: number, kind: 'wide' | 'bytes'): string {
  const vectors = range(columns / 4);
  const turns = range(32 / columns);
  const sums = kind === 'bytes' ? turns : [0];
  const start = (t: number, v: number) => (t === 0 ? `v128.load(c, ${v * 16})` : 'i32x4.splat(0)');
  const turn = (t: number) => [
    `    const x${t} = v128.load32_splat(x, ${t * 4});`,
    ...vectors.map((v) => {
      const sum = `s${t % sums.length}_${v}`;
      return `    ${dot(kind, sum, `x${t}`, `v128.load(w, ${t * columns * 4 + v * 16})`)}`;
    }),
  ];
  const total = (v: number) => sums.map((t) => `s${t}_${v}`).reduce((a, b) => `i32x4.add(${a}, ${b})`);
  const step = turns.length;
  return `
function ${kind}_1x${columns}(groups: i32, x: usize, w: usize, c: usize): void {
${sums.flatMap((t) => vectors.map((v) => `  let s${t}_${v} = ${start(t, v)};`)).join('\n')}
  for (; groups >= ${step}; groups -= ${step}, x += ${step * 4}, w += ${step * columns * 4}) {
${turns.flatMap(turn).join('\n')}
  }
  for (; groups > 0; groups--, x += 4, w += ${columns * 4}) {
${turn(0).join('\n')}
  }
${vectors.map((v) => `  v128.store(c, ${total(v)}, ${v * 16});`).join('\n')}
}
`;
}

const rowChooser = (kind: 'wide' | 'bytes', columns: number[]) => `
/** Runs the row of this many columns. */
export function ${kind}Row(columns: i32, groups: i32, x: usize, w: usize, c: usize): void {
  switch (columns) {
${columns.map((c) => `    case ${c}: ${kind}_1x${c}(groups, x, w, c); break;`).join('\n')}
  }
}
`;

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
    '// Made by scripts/generate-tiles.ts. Do not edit.\n',
    "import { dotBytes, madd } from '../isa';\n",
    ...tiles.f32.map(([r, c]) => f32Tile(r, c)),
    chooser(
      'f32Tile',
      'f32',
      tiles.f32,
      'k: i32, a: usize, b: usize, ldb: usize, start: usize, ldstart: usize, c: usize, ldc: usize',
      'k, a, b, ldb, start, ldstart, c, ldc',
    ),
    ...tiles.i8.flatMap(([r, c]) => [i8Tile(r, c, 'wide'), i8Tile(r, c, 'bytes')]),
    ...(['wide', 'bytes'] as const).flatMap((kind) => [
      ...rowWidths.map((columns) => i8Row(columns, kind)),
      rowChooser(kind, rowWidths),
      chooser(
        `${kind}Tile`,
        kind,
        tiles.i8,
        'groups: i32, x: usize, w: usize, c: usize, ldc: usize',
        'groups, x, w, c, ldc',
      ),
    ]),
  ].join('');
}
