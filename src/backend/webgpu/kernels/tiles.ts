import type { ProductConfig } from '../products.ts';

/** The constants by which product_*.wgsl is specialised. */
export function division({ kernel, wx, wy, qm, qn, depth }: ProductConfig): Record<string, number> {
  if (kernel === 'vector') return { WX: wx, WY: wy, SIZE: wx * wy };
  const common = { WX: wx, WY: wy, QM: qm, QN: qn };
  if (kernel === 'direct') return common;
  return { ...common, DEPTH: depth, SIZE_A: depth * wy * qm, SIZE_B: depth * wx * qn };
}

/** Tiles along m and n, and terms of K for each part. */
export function tilesOf(config: ProductConfig, m: number, n: number, terms: number) {
  const { kernel, wx, wy, qm, qn, depth, parts } = config;
  const rows = kernel === 'vector' ? 1 : 4 * wy * qm;
  const columns = 4 * wx * (kernel === 'vector' ? 1 : qn);
  const step = kernel === 'blocks' ? depth : 4;
  // Without workgroup memory each invocation sees to its own edge, and those that are wholly outside leave.
  const [evenM, evenN] = kernel === 'direct' ? [4 * qm, 4 * qn] : [rows, columns];
  const even =
    !config.edges && kernel !== 'vector' && m % evenM === 0 && n % evenN === 0 && terms % step === 0;
  const chunk = Math.max(step, Math.ceil(terms / parts / step) * step);
  return {
    tilesM: Math.ceil(m / rows),
    tilesN: Math.ceil(n / columns),
    chunk,
    even,
    /** Fewer than asked for where K has no more. */
    parts: Math.max(1, Math.ceil(terms / chunk)),
  };
}
