import { describe, expect, it } from 'vitest';
import { use } from '../../conformance/kit/case.ts';
import { make, type TensorText, tensor } from '../../conformance/kit/tensor.ts';

const valuesOf = (text: TensorText) => [...make(tensor(text), 1)];

describe('a tensor in words', () => {
  it('has sizes, or none', () => {
    expect(tensor('f32 7x5').shape).toEqual([7, 5]);
    expect(tensor('f32 0x4').shape).toEqual([0, 4]);
    expect(tensor('u8').shape).toEqual([]);
    expect(tensor('i32  <7').shape).toEqual([]);
  });

  it('is filled by a name, a limit or values', () => {
    expect(valuesOf('u8 3 zeros')).toEqual([0, 0, 0]);
    expect(new Set(valuesOf('i32 200 <3'))).toEqual(new Set([0, 1, 2]));
    expect(valuesOf('f32 5 =1,-0,NaN,-Infinity,1e9')).toEqual([1, -0, Number.NaN, -Infinity, 1e9]);
    expect(valuesOf('f32 20')).toEqual(valuesOf('f32 20 normal'));
  });

  it('is refused where it says something else', () => {
    const wrong = [
      'i32 5',
      'f32 5 nothing',
      'f32 5x',
      'f32 axb',
      'f32 3 =1,two',
      'f64 3',
      'f32 3 zeros zeros',
    ];
    for (const text of wrong) expect(() => tensor(text as TensorText), text).toThrow(text);
  });
});

describe('a case', () => {
  it('has attributes last, or none', () => {
    const fill = () => 1;
    const spec = { dtype: 'f32', shape: [2], fill } as const;
    expect(use('f32 2', spec)).toEqual({ inputs: [tensor('f32 2'), spec], attrs: {} });
    // `fill` has attributes of the same names.
    const attrs = { dtype: 'f32', shape: [2], value: 3 } as const;
    expect(use(attrs)).toEqual({ inputs: [], attrs });
  });
});
