import { fail } from '../core/errors.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import type { LayerSpec } from '../nn/spec.ts';
import type { FrozenVariable, StateDict } from './frozen.ts';

/** How files begin that are often taken for safetensors, and what to do with them. */
const others: readonly [start: readonly number[], what: string][] = [
  [
    [0x50, 0x4b, 3, 4],
    "a PyTorch file (.pt, .pth) or another zip archive: in Python, safetensors.torch.save_file(torch.load('model.pt', weights_only=True), 'model.safetensors') writes its state dict as one",
  ],
  [
    [0x80, 2],
    "a pickle, as old PyTorch files are: in Python, safetensors.torch.save_file(torch.load('model.pt', weights_only=True), 'model.safetensors') writes its state dict as one",
  ],
  [
    [0x89, 0x48, 0x44, 0x46],
    'an HDF5 file, as Keras writes: in Python, safetensors.numpy.save_file writes arrays by name as one',
  ],
  [
    [0x47, 0x47, 0x55, 0x46],
    'a GGUF file, whose weights are quantized in other ways; take the original weights',
  ],
  [[0, 0x61, 0x73, 0x6d], 'WebAssembly; a frozen model is run by its host, see inspect()'],
  [[0x1f, 0x8b], 'compressed (gzip); decompress it first'],
];

/** Throws 'invalid_data' for files of other kinds, saying what to do. */
export function expectSafetensors(file: Uint8Array): void {
  const found = others.find(([start]) => start.every((byte, i) => file[i] === byte));
  if (found) fail('invalid_data', `this is no safetensors file but ${found[1]}`);
}

interface Layer {
  readonly prefix: string;
  /** Its weights' own names and shapes: layers with the same can stand for each other. */
  readonly kind: string;
  readonly leaves: readonly string[];
}

function layersOf(weights: readonly { readonly name: string; readonly shape: readonly number[] }[]): Layer[] {
  const groups = new Map<string, { leaf: string; text: string }[]>();
  for (const { name, shape } of weights) {
    const dot = name.lastIndexOf('.');
    const [prefix, leaf] = [name.slice(0, Math.max(dot, 0)), name.slice(dot + 1)];
    groups.set(prefix, [...(groups.get(prefix) ?? []), { leaf, text: `${leaf} ${showShape(shape)}` }]);
  }
  return [...groups].map(([prefix, leaves]) => ({
    prefix,
    kind: leaves
      .map((l) => l.text)
      .sort()
      .join(', '),
    leaves: leaves.map((l) => l.leaf),
  }));
}

/** A prefix without its numbers: layers that differ in nothing else are in the order of these. */
const stemOf = ({ prefix }: Layer): string => prefix.replace(/\d+/g, '#');
const inOrder = new Intl.Collator('en', { numeric: true });
const dotted = (prefix: string, leaf: string): string => (prefix ? `${prefix}.${leaf}` : leaf);

/**
 * Weights under a model's own names, where a file has others (`fc1.weight` for `0.weight`) that can be meant in one way only:
 * by their shapes, or of equal shapes by the numbers in their names. Undefined where they can't.
 */
export function renamed(variables: readonly FrozenVariable[], state: StateDict): StateDict | undefined {
  const wanted = layersOf(variables.map(({ name, variable: { shape } }) => ({ name, shape })));
  const given = layersOf(Object.entries(state).map(([name, { shape }]) => ({ name, shape })));
  if (wanted.length !== given.length) return undefined;
  const found: StateDict = Object.create(null);
  for (const kind of new Set(wanted.map((l) => l.kind))) {
    const targets = wanted.filter((l) => l.kind === kind);
    const sources = given.filter((l) => l.kind === kind);
    const isClear = sources.length === 1 || new Set(sources.map(stemOf)).size === 1;
    if (sources.length !== targets.length || !isClear) return undefined;
    sources.sort((a, b) => inOrder.compare(a.prefix, b.prefix));
    for (const [i, { prefix, leaves }] of targets.entries())
      for (const leaf of leaves) found[dotted(prefix, leaf)] = state[dotted(sources[i].prefix, leaf)];
  }
  return found;
}

/** Layers that leave the shape of a sample as it is. */
const KEEPING =
  /^(dropout|alphaDropout|softmax|logSoftmax|relu6?|leakyRelu|prelu|[cs]?elu|gelu|silu|mish|(logS|s)igmoid|(hard)?tanh|soft(plus|sign)|hardswish|hardsigmoid)$/;

/** The input that the first layer with a size asks for, if nothing before it changes shapes. */
export function inputOfSpec(spec: LayerSpec | undefined): readonly number[] | undefined {
  if (spec?.layer === 'linear') return [spec.inFeatures as number];
  if (spec?.layer === 'unflatten' && spec.dim === 1) return [sizeOf(spec.unflattenedSize as number[])];
  if (spec?.layer !== 'sequential') return undefined;
  const first = (spec.layers as LayerSpec[]).find(({ layer }) => !KEEPING.test(layer));
  return inputOfSpec(first);
}
