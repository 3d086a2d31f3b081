import { Command } from 'commander';
import { parseSafetensors } from '../../io/safetensors.ts';
import { type FrozenInfo, type FrozenTensor, loadModel, nn } from '../../node.ts';
import { factsOf, type ModelFacts } from '../data/facts.ts';
import { toldFacts } from '../data/tell.ts';
import { read } from '../files.ts';
import { openFrozen } from '../frozen-run.ts';
import { expectModelFile, frozenOf, isWasm } from '../models.ts';
import { jsonOption } from '../options.ts';
import { bytes, opRows, report, table } from '../print.ts';

const EXAMPLES = `
Examples:
  biphase inspect digits.wasm
  biphase inspect digits-int8.safetensors --json
  biphase inspect run.checkpoint`;

export const inspect = () =>
  new Command('inspect')
    .description('Shows what is in a frozen file, a model or a checkpoint.')
    .argument('<file>', 'a .wasm or a safetensors file')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, { json }: { json: boolean }) => {
      const file = await read(path);
      if (isWasm(file)) {
        const { info, facts } = openFrozen(path, file);
        report(json, { kind: 'frozen', ...info, facts }, frozenLines(info, facts));
      } else await safetensors(path, file, json);
    });

const side = ({ name, dtype, shape, scale, zeroPoint }: FrozenTensor, unnamed: string) =>
  `${name === unnamed ? '' : `${name}: `}${dtype} ${shape.join(' x ')}${dtype === 'u8' ? `, real = (q - ${zeroPoint}) * ${scale}` : ''}`;

function frozenLines(info: FrozenInfo, facts: ModelFacts): string[] {
  const { abi, build, kernels, maxBatch, inputs, outputs, layers, weightBytes, memoryBytes, fileBytes } =
    info;
  return [
    `frozen model, ABI version ${abi}, needs ${build === 'relaxed' ? 'relaxed SIMD' : 'WebAssembly SIMD (128 bit)'}`,
    ...inputs.map((t) => `input    ${side(t, 'input')}`),
    ...outputs.map((t) => `output   ${side(t, 'output')}`),
    `run      up to ${maxBatch} samples`,
    ...toldFacts(facts),
    ...(info.input.dtype === 'f32' && facts.transform
      ? ['         (done to inputs by biphase run; other hosts do it themselves: docs/ABI.md)']
      : []),
    `file     ${bytes(fileBytes)}: ${bytes(weightBytes)} of weights, ${bytes(fileBytes - weightBytes)} of ${kernels} kernels and plan`,
    `memory   ${bytes(memoryBytes)}`,
    '',
    ...table([
      ['layer', 'result', 'scale', 'zero point', 'weights'],
      ...layers.map((l) => [
        l.activation ? `${l.op} + ${l.activation}` : l.op,
        `${l.dtype} ${l.shape.join(' x ')}`,
        l.scale?.toPrecision(6) ?? '',
        l.zeroPoint?.toString() ?? '',
        l.weightBytes ? bytes(l.weightBytes) : '',
      ]),
    ]),
  ];
}

async function safetensors(path: string, file: Uint8Array, json: boolean): Promise<void> {
  expectModelFile(path, file);
  const { metadata, tensors } = parseSafetensors(file);
  const weights = [...tensors].map(([name, t]) => ({
    name,
    dtype: t.dtype,
    shape: t.shape,
    bytes: t.bytes.length,
  }));
  const { sha256, ...shown } = metadata;
  const kind =
    { 'biphase.model': 'model', 'biphase.checkpoint': 'checkpoint' }[metadata.format] ?? 'safetensors';
  const list = table([
    ['tensor', 'type', 'shape', 'size'],
    ...weights.map((w) => [w.name, w.dtype, w.shape.join(' x ') || 'scalar', bytes(w.bytes)]),
  ]);
  if (kind !== 'model') {
    report(json, { kind, metadata: shown, tensors: weights }, [
      kind,
      ...Object.entries(shown).map(([name, text]) => `${name}: ${text}`),
      '',
      ...list,
    ]);
    return;
  }
  const loaded = await loadModel(file);
  const frozen = frozenOf(loaded);
  const quantized = loaded.model === frozen ? undefined : loaded.model;
  const layers = nn.specOf(frozen.model);
  const size = frozen.input.shape.reduce((a, b) => a * b, 1);
  const facts = factsOf(path, loaded.notes, size);
  const ops = quantized && 'report' in quantized ? quantized.report : undefined;
  report(json, { kind, quantized: !!ops, input: frozen.input, layers, facts, ops, tensors: weights }, [
    `${ops ? 'quantized model' : 'f32 model'}, input f32 ${frozen.input.shape.join(' x ')}`,
    ...toldFacts(facts),
    ...(layers.layer === 'sequential' ? (layers.layers as nn.LayerSpec[]) : [layers]).map(
      (l) => `  ${JSON.stringify(l)}`,
    ),
    ...(ops ? ['', ...table(opRows(ops))] : []),
    '',
    ...list,
  ]);
}
