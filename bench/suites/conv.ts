import { zeros } from '../../conformance/kit/fill.ts';
import { f32, i8, i32, u8 } from '../../conformance/kit/tensor.ts';
import type { BenchCase } from '../run/case.ts';
import { opCase } from './op-case.ts';

/** Channels, filters, kernel, side of the image, stride; groups, where there are several. */
type Layer = readonly [
  channels: number,
  filters: number,
  kernel: number,
  side: number,
  stride: number,
  groups?: number,
];

/** Layers of ResNet-18 and MobileNetV2, batch 1, and the second one of the digits model. */
const LAYERS: readonly Layer[] = [
  [64, 64, 3, 56, 1],
  [128, 128, 3, 28, 1],
  [256, 256, 3, 14, 1],
  [64, 128, 3, 56, 2],
  [256, 64, 1, 56, 1],
  [3, 64, 7, 224, 2],
  [32, 32, 3, 112, 1, 32],
  [512, 512, 3, 14, 1, 512],
  [240, 240, 5, 28, 1, 240],
];
const FEW: readonly Layer[] = [
  [16, 16, 3, 14, 1],
  [16, 16, 3, 28, 1, 16],
];

/** Convolutions in f32 and in integers, weights constant, and the gradients of depthwise weights. */
export function conv(quick: boolean): BenchCase[] {
  return (quick ? FEW : LAYERS).flatMap(([channels, filters, kernel, side, stride, groups = 1]) => {
    const around = (kernel - 1) / 2;
    const how = {
      ...{ stride: [stride, stride] as const, padding: [around, around, around, around] as const },
      ...{ dilation: [1, 1] as const, groups },
    };
    const [image, taken] = [[1, side, side, channels], channels / groups];
    const out = Math.floor((side - 1) / stride) + 1;
    const kind = groups === 1 ? '' : ' depthwise';
    const suite = 'conv';
    const name = `${kernel}x${kernel}${kind} ${channels} to ${filters} at ${side}x${side} /${stride}`;
    const requantized = { shift: 45, zeroPoint: 128, min: 0, max: 255, inputZero: 100 };
    const both = [
      opCase({
        ...{ suite, name: `f32 ${name}`, op: 'conv', attrs: how, constants: [1], bound: 'flops' },
        inputs: [f32(image), f32([kernel, kernel, taken, filters])],
      }),
      opCase({
        ...{ suite, name: `int8 ${name}`, op: 'conv_i8', attrs: { ...how, ...requantized } },
        inputs: [
          ...[u8(image), i8([filters, kernel, kernel, taken]), i32([filters], zeros)],
          i32([filters], () => 2 ** 30),
        ],
        ...{ constants: [1, 2, 3], bound: 'flops' },
      }),
    ];
    if (groups === 1) return both;
    const gradient = opCase({
      ...{ suite, name: `f32 ${name}, gradient of weights`, op: 'conv_backward_weight', bound: 'flops' },
      ...{ inputs: [f32([1, out, out, filters]), f32(image)], attrs: { ...how, kernel: [kernel, kernel] } },
    });
    return [...both, gradient];
  });
}
