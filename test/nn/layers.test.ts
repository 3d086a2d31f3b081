import { describe, expect, it } from 'vitest';
import { Tracer } from '../../src/graph/trace.ts';
import { nn } from '../../src/index.ts';
import { type Declaration, declarationOf } from '../../src/nn/layer.ts';
import { forward } from '../../src/nn/module.ts';

const layers = Object.entries(nn).flatMap(([name, value]) => {
  const declaration = declarationOf(value);
  return declaration ? [[name, declaration] as const] : [];
});

/** Arguments that are lists. */
const lists = new Set(['unflattenedSize']);

/** Arguments that must be given, made up. */
const needs = ({ args }: Declaration) =>
  Object.fromEntries(
    Object.entries(args).flatMap(([name, { initial }]) =>
      initial === undefined ? [[name, lists.has(name) ? [2, -1] : 2]] : [],
    ),
  );

describe('layers', () => {
  it('are declared under the names that users call', () => {
    expect(layers.length).toBeGreaterThan(12);
    for (const [name, declaration] of layers) expect(declaration.name).toBe(name);
  });

  it.each(layers)('%s is what its spec says, with every argument in it', (name, declaration) => {
    const made = declaration.make(needs(declaration));
    expect(Object.keys(made.spec!)).toEqual(['layer', ...Object.keys(declaration.args)]);
    expect(made.spec!.layer).toBe(name);
    const again = nn.fromSpec(JSON.parse(JSON.stringify(made.spec)));
    expect(again.spec).toEqual(made.spec);
    expect(Object.keys(again.children)).toEqual(Object.keys(made.children));
  });

  it.each(layers)('%s refuses arguments that are none, and those of another kind', (name, declaration) => {
    const needed = needs(declaration);
    expect(() => nn.fromSpec({ layer: name, ...needed, shoes: 2 })).toThrow(`${name} has no 'shoes'`);
    for (const [argument, { is, initial }] of Object.entries(declaration.args)) {
      for (const wrong of [null, {}, 'shoes'].filter((value) => !is(value)))
        expect(() => nn.fromSpec({ layer: name, ...needed, [argument]: wrong })).toThrow(
          expect.objectContaining({
            code: 'invalid_data',
            message: expect.stringMatching(new RegExp(`${argument} is .*, expected ${is.expected}`)),
          }),
        );
      const { [argument]: _, ...others } = needed;
      if (initial === undefined)
        expect(() => nn.fromSpec({ layer: name, ...others })).toThrow(`${name} needs '${argument}'`);
    }
  });

  it('keep the specs that files have', () => {
    const model = nn.sequential(
      nn.linear(4, 3),
      nn.leakyRelu(),
      nn.elu(2),
      nn.linear(3, 2, { bias: false }),
      nn.gelu('tanh'),
      nn.gelu(),
      nn.dropout(0.25),
      nn.flatten(),
      nn.logSoftmax(),
    );
    expect(model.spec).toEqual({
      layer: 'sequential',
      layers: [
        { layer: 'linear', inFeatures: 4, outFeatures: 3, bias: true },
        { layer: 'leakyRelu', slope: 0.01 },
        { layer: 'elu', alpha: 2 },
        { layer: 'linear', inFeatures: 3, outFeatures: 2, bias: false },
        { layer: 'gelu', approximate: 'tanh' },
        { layer: 'gelu', approximate: 'none' },
        { layer: 'dropout', p: 0.25 },
        { layer: 'flatten' },
        { layer: 'logSoftmax', axis: -1 },
      ],
    });
  });

  it.each(Object.entries(nn.activations))('%s is an activation: it keeps the shape', (name, make) => {
    const tracer = new Tracer({ training: false });
    const y = forward(make(), tracer.input('input', { dtype: 'f32', shape: [2, 3] }));
    expect(y).toMatchObject({ dtype: 'f32', shape: [2, 3] });
    expect(make().spec?.layer).toBe(name);
  });
});
