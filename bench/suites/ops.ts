import { positive, zeros } from '../../conformance/kit/fill.ts';
import { f32, i8, i32, u8 } from '../../conformance/kit/tensor.ts';
import type { BenchCase } from '../run/case.ts';
import { opCase } from './op-case.ts';

const sizes = (quick: boolean) => (quick ? [64, 256] : [64, 128, 256, 512, 1024]);
const swap = (a: number, b: number, swapped: boolean) => (swapped ? [b, a] : [a, b]);

/** f32 products: squares in all four transpose forms, and the shapes of the digits model's training step. */
export function matmul(quick: boolean): BenchCase[] {
  const one = (label: string, m: number, k: number, n: number, transposeA = false, transposeB = false) =>
    opCase({
      suite: 'matmul',
      name: label,
      op: 'matmul',
      inputs: [f32(swap(m, k, transposeA)), f32(swap(k, n, transposeB))],
      attrs: { transposeA, transposeB },
      bound: 'flops',
    });
  const forms = [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ];
  return [
    ...sizes(quick).flatMap((n) =>
      forms.map(([ta, tb]) => one(`${n}x${n}x${n} ${ta ? 'A^T' : 'A'} ${tb ? 'B^T' : 'B'}`, n, n, n, ta, tb)),
    ),
    one('128x784x256 forward', 128, 784, 256, false, true),
    one('256x128x784 weight gradient', 256, 128, 784, true, false),
    one('1x784x256', 1, 784, 256, false, true),
  ];
}

/** int8 products with requantization, weights constant. */
export function matmulI8(quick: boolean): BenchCase[] {
  const shapes = [...sizes(quick).map((n) => [n, n, n]), [1, 1024, 1024], [1, 784, 256], [64, 784, 256]];
  return shapes.map(([m, k, n]) =>
    opCase({
      suite: 'matmul_i8',
      name: `${m}x${k}x${n}`,
      op: 'matmul_i8',
      inputs: [u8([m, k]), i8([n, k]), i32([n], zeros), i32([n], () => 2 ** 30)],
      attrs: { shift: 45, zeroPoint: 128, min: 0, max: 255 },
      constants: [1, 2, 3],
      bound: 'flops',
    }),
  );
}

/** Element by element, forwards and backwards, and rows. */
export function activation(quick: boolean): BenchCase[] {
  const n = quick ? 65536 : 1 << 20;
  const unary = ['relu', 'silu', 'sigmoid', 'tanh', 'softplus', 'hardswish'] as const;
  const suite = 'activation';
  const bound = 'bytes';
  return [
    ...unary.map((op) => opCase({ suite, name: `${op} ${n}`, op, inputs: [f32([n])], attrs: {}, bound })),
    opCase({
      suite,
      name: `gelu ${n}`,
      op: 'gelu',
      inputs: [f32([n])],
      attrs: { approximate: 'none' },
      bound,
    }),
    opCase({
      suite,
      name: `relu_backward ${n}`,
      op: 'relu_backward',
      inputs: [f32([n]), f32([n])],
      attrs: {},
      bound,
    }),
    opCase({
      suite,
      name: `softmax ${n / 1024}x1024`,
      op: 'softmax',
      inputs: [f32([n / 1024, 1024])],
      attrs: {},
      bound,
    }),
    opCase({
      suite,
      name: 'cross_entropy 128x10',
      op: 'cross_entropy',
      inputs: [f32([128, 10]), i32([128], (i) => i % 10)],
      attrs: { labelSmoothing: 0 },
      bound,
    }),
  ];
}

/** One update of all parameters. */
export function optimizer(quick: boolean): BenchCase[] {
  const n = quick ? 65536 : 1 << 20;
  const hyper = f32([4], (i) => [1e-3, 1e-3, 1, 0][i]);
  const suite = 'optimizer';
  const bound = 'bytes';
  const attrs = { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01 };
  const moments = [f32([n], positive), f32([n], positive)];
  return [
    opCase({
      suite,
      name: `sgd ${n}`,
      op: 'sgd',
      inputs: [f32([n]), f32([n]), hyper],
      attrs: { momentum: 0, nesterov: false, weightDecay: 0 },
      bound,
    }),
    opCase({
      suite,
      name: `adamw ${n}`,
      op: 'adamw',
      inputs: [f32([n]), f32([n]), ...moments, hyper],
      attrs,
      bound,
    }),
    opCase({
      suite,
      name: `nadam ${n}`,
      op: 'nadam',
      inputs: [f32([n]), f32([n]), ...moments, hyper],
      attrs: { ...attrs, decoupled: true, centered: false },
      bound,
    }),
    opCase({
      suite,
      name: `lion ${n}`,
      op: 'lion',
      inputs: [f32([n]), f32([n]), moments[0], hyper],
      attrs: { ...attrs, decoupled: true, centered: false },
      bound,
    }),
  ];
}

/** Normalization of rows and of channels, forwards and backwards. */
export function norm(quick: boolean): BenchCase[] {
  const [suite, bound] = ['norm', 'bytes'] as const;
  const of = (rows: number, n: number): BenchCase[] => {
    const [x, channel, row] = [f32([rows, n]), f32([n], positive), f32([rows], positive)];
    const size = `${rows}x${n}`;
    const eps = 1e-5;
    const vectors = [channel, channel];
    const rms = [x, x, row, channel];
    const both = { eps, affine: 'both' } as const;
    return [
      opCase({
        suite,
        name: `layer_norm ${size}`,
        op: 'layer_norm',
        inputs: [x, ...vectors],
        attrs: { eps },
        bound,
      }),
      opCase({
        suite,
        name: `layer_norm_backward ${size}`,
        op: 'layer_norm_backward',
        inputs: [x, x, row, row, channel],
        attrs: both,
        bound,
      }),
      opCase({
        suite,
        name: `rms_norm ${size}`,
        op: 'rms_norm',
        inputs: [x, channel],
        attrs: { eps },
        bound,
      }),
      opCase({
        suite,
        name: `rms_norm_backward ${size}`,
        op: 'rms_norm_backward',
        inputs: rms,
        attrs: { eps, affine: 'weight' },
        bound,
      }),
      opCase({
        suite,
        name: `batch_norm ${size}`,
        op: 'batch_norm',
        inputs: [x, ...vectors],
        attrs: { eps },
        bound,
      }),
      opCase({
        suite,
        name: `batch_norm_backward ${size}`,
        op: 'batch_norm_backward',
        inputs: [x, x, ...vectors, channel],
        attrs: { eps },
        bound,
      }),
    ];
  };
  return quick ? of(256, 256) : [...of(1024, 1024), ...of(16384, 64)];
}

/** What moves elements: rows of a table and their gradient (beside `fill`, the zeroing that is part of it), copies. */
export function movers(quick: boolean): BenchCase[] {
  const [rows, width, count] = quick ? [1000, 64, 512] : [10000, 64, 4096];
  const indices = i32([count], (_, random) => random.int(rows));
  const n = quick ? 256 : 1024;
  const suite = 'movers';
  const bound = 'bytes';
  const table = `${rows}x${width} ${count}`;
  return [
    opCase({
      suite,
      name: `gather ${table}`,
      op: 'gather',
      inputs: [f32([rows, width]), indices],
      attrs: { axis: 0 },
      bound,
    }),
    opCase({
      suite,
      name: `gather_backward ${table}`,
      op: 'gather_backward',
      inputs: [f32([count, width]), indices],
      attrs: { axis: 0, size: rows },
      bound,
    }),
    opCase({
      suite,
      name: `fill ${rows}x${width}`,
      op: 'fill',
      inputs: [],
      attrs: { value: 0, shape: [rows, width], dtype: 'f32' },
      bound,
    }),
    opCase({ suite, name: `copy ${n}x${n}`, op: 'copy', inputs: [f32([n, n])], attrs: {}, bound }),
    opCase({
      suite,
      name: `transpose ${n}x${n}`,
      op: 'transpose',
      inputs: [f32([n, n])],
      attrs: { perm: [1, 0] },
      bound,
    }),
    opCase({ suite, name: `flip ${n}x${n}`, op: 'flip', inputs: [f32([n, n])], attrs: { axes: [0] }, bound }),
    opCase({
      suite,
      name: `pad ${n}x${n}`,
      op: 'pad',
      inputs: [f32([n, n])],
      attrs: { before: [1, 1], after: [1, 1], value: 0 },
      bound,
    }),
    opCase({
      suite,
      name: `roll ${n}x${n}`,
      op: 'extend',
      inputs: [f32([n, n])],
      attrs: { axis: 0, start: 5, size: n, beyond: 'circular' },
      bound,
    }),
  ];
}
