import { existsSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { BiphaseError, nn } from '../../node.ts';

/** How the pixels of a sample lie in its file. */
interface Image {
  readonly layout: 'NCHW' | 'NHWC';
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

const CHANNELS = new Set([1, 2, 3, 4]);

/** What samples of this shape are as images: height x width, with channels behind or before. Throws 'shape_mismatch' for others. */
export function imageOf(shape: readonly number[], path: string): Image {
  const [a, b, c] = shape;
  if (shape.length === 2) return { layout: 'NHWC', channels: 1, height: a, width: b };
  if (shape.length === 3 && CHANNELS.has(c)) return { layout: 'NHWC', channels: c, height: a, width: b };
  if (shape.length === 3 && CHANNELS.has(a)) return { layout: 'NCHW', channels: a, height: b, width: c };
  throw new BiphaseError(
    'shape_mismatch',
    `${path} has samples of the shape ${shape.join(' x ')}; a network of convolutions takes images: height x width, ` +
      'height x width x channels or channels x height x width, in IDX or NPY',
  );
}

type Network = (image: Image, outputs: number) => nn.Module;

const sizes = ({ layout, channels, height, width }: Image) =>
  layout === 'NHWC' ? [height, width, channels] : [channels, height, width];

/** Convolution, normalization, activation. */
const block = (
  { layout }: Image,
  from: number,
  to: number,
  kernel: number,
  { stride = 1, groups = 1 }: { stride?: number; groups?: number },
  ...activation: nn.Module[]
): nn.Module[] => [
  nn.conv2d(from, to, kernel, { stride, groups, padding: kernel >> 1, bias: false, layout }),
  nn.batchNorm2d(to, { layout }),
  ...activation,
];

/** Two convolutions, each followed by a pool, and two layers over all that is left: LeNet's plan with today's parts. */
const cnn: Network = (image, outputs) => {
  const { layout, channels, height, width } = image;
  if (height < 4 || width < 4)
    throw new BiphaseError('shape_mismatch', `cnn takes images from 4 x 4, got ${height} x ${width}`);
  return nn.sequential(
    nn.unflatten(1, sizes(image)),
    nn.conv2d(channels, 32, 3, { padding: 1, layout }),
    nn.relu(),
    nn.maxPool2d(2, { layout }),
    nn.conv2d(32, 64, 3, { padding: 1, layout }),
    nn.relu(),
    nn.maxPool2d(2, { layout }),
    nn.flatten(),
    nn.linear(64 * (height >> 2) * (width >> 2), 128),
    nn.relu(),
    nn.dropout(0.25),
    nn.linear(128, outputs),
  );
};

/** Channels, and the stride, of each pair of a depthwise and a pointwise convolution (Howard et al. 2017). */
const PAIRS = [
  [32, 1],
  [64, 2],
  [64, 1],
  [128, 2],
  [128, 1],
] as const;

const mobilenet: Network = (image, outputs) => {
  let from = 16;
  const pairs = PAIRS.flatMap(([to, stride]) => {
    const depthwise = block(image, from, from, 3, { stride, groups: from }, nn.relu6());
    const pointwise = block(image, from, to, 1, {}, nn.relu6());
    from = to;
    return [...depthwise, ...pointwise];
  });
  return nn.sequential(
    nn.unflatten(1, sizes(image)),
    ...block(image, image.channels, 16, 3, {}, nn.relu6()),
    ...pairs,
    ...head(image, from, outputs),
  );
};

/** Channels, and the stride, of each residual block (He et al. 2016). */
const BLOCKS = [
  [16, 1],
  [32, 2],
  [64, 2],
] as const;

const resnet: Network = (image, outputs) => {
  let from = 16;
  const blocks = BLOCKS.flatMap(([to, stride]) => {
    const body = nn.sequential(
      ...block(image, from, to, 3, { stride }, nn.relu()),
      ...block(image, to, to, 3, {}),
    );
    const same = from === to && stride === 1;
    const shortcut = same ? undefined : nn.sequential(...block(image, from, to, 1, { stride }));
    from = to;
    return [nn.residual(body, shortcut), nn.relu()];
  });
  return nn.sequential(
    nn.unflatten(1, sizes(image)),
    ...block(image, image.channels, 16, 3, {}, nn.relu()),
    ...blocks,
    ...head(image, from, outputs),
  );
};

const head = ({ layout }: Image, from: number, outputs: number) => [
  nn.adaptiveAvgPool2d(1, { layout }),
  nn.flatten(),
  nn.linear(from, outputs),
];

/** Networks for images, by what --model calls them. */
export const networks = { cnn, 'mobilenet-small': mobilenet, 'resnet-small': resnet } as const;
export const isNetwork = (name: string | undefined): name is keyof typeof networks =>
  name !== undefined && Object.hasOwn(networks, name);

/** What --model may be. A word that is neither a network nor a file is a typing error. */
export function networkOrFile(given: string): string {
  if (isNetwork(given) || /[./\\]/.test(given) || existsSync(given)) return given;
  throw new InvalidArgumentError(
    `It is '${given}', expected ${Object.keys(networks).join(', ')} or a JSON file.`,
  );
}
