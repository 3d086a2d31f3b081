import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { answersOf, expectedOf, score } from '../../src/cli/data/answers.ts';
import { columnLabels, columnOf, labelsOf } from '../../src/cli/data/columns.ts';
import { factsOf, type ModelFacts, notesOf } from '../../src/cli/data/facts.ts';
import { inputsFor, inputsOf, otherUnit, transformed } from '../../src/cli/data/inputs.ts';
import { readSource } from '../../src/cli/data/read.ts';
import { decide } from '../../src/cli/data/target.ts';
import { encodeNpy } from '../../src/data/npy.ts';
import { temporary } from './cli.ts';

const { folder, remove } = temporary();
afterAll(remove);

const source = (content: string | Uint8Array, header?: 'yes' | 'no') => {
  const path = join(folder, 'file');
  writeFileSync(path, content);
  return readSource(path, header);
};
const numbers = (values: readonly number[], shape = [values.length]) =>
  source(encodeNpy(Float32Array.from(values), shape));
/** What the labels of a file are taken for. */
const labels = async (content: string | Uint8Array, wish?: string) => labelsOf(await source(content), wish);
/** The same, as it is trained on. */
const decided = async (content: string, loss: Parameters<typeof decide>[1]) =>
  decide(await labels(content), loss);
const column = (values: readonly unknown[]) => `${values.join('\n')}\n`;
const repeated = (values: readonly unknown[], times: number) =>
  column(Array.from({ length: times }, () => values).flat());

describe('a CSV file', () => {
  it.each([
    ['commas', 'a,b\n1,2\n3,4\n'],
    ['CRLF and a mark of UTF-8', '\ufeffa,b\r\n1,2\r\n3,4\r\n'],
    ['tabs', 'a\tb\n1\t2\n3\t4'],
    ["Excel's first line", 'sep=;\na;b\n1;2\n3;4\n'],
    ['blank lines', '\na,b\n\n1,2\n3,4\n\n\n'],
    ['UTF-16 with its mark', Buffer.from('\ufeffa\tb\r\n1\t2\r\n3\t4\r\n', 'utf16le')],
  ])('with %s', async (_, content) => {
    const { shape, columns, values } = await source(content);
    expect({ shape, columns, values: [...values] }).toEqual({
      shape: [2, 2],
      columns: ['a', 'b'],
      values: [1, 2, 3, 4],
    });
  });

  it('with delimiters, quotes and line breaks inside quotes', async () => {
    const { columns, values } = await source('"a;b","say ""c""","d\ne"\n1,2,3\n');
    expect(columns).toEqual(['a;b', 'say "c"', 'd\ne']);
    expect([...values]).toEqual([1, 2, 3]);
  });

  it('with spaces, as numpy.savetxt writes it, and with decimal commas, as Excel does', async () => {
    expect([...(await source(' 1.5e+00   2\n -3 4\n')).values]).toEqual([1.5, 2, -3, 4]);
    const commas = await source('a;b\n1,5;2\n-0,25;3\n');
    expect([...commas.values]).toEqual([1.5, 2, -0.25, 3]);
    expect(commas.remarks.join()).toContain('commas part the digits');
    const headless = await source('1,5;2,5\n-3;0,25\n');
    expect([headless.shape, ...headless.values]).toEqual([[2, 2], 1.5, 2.5, -3, 0.25]);
    expect((await source('1;2,3\n4;5,6;7\n')).shape).toEqual([2, 2]);
    await expect(source('a;b\n1,5;2.5\n')).rejects.toThrow('not clear');
  });

  it('has a header only where the first row can be one', async () => {
    expect((await source('1,2\n3,4\n')).columns).toBeUndefined();
    expect((await source('5.1,3.5,setosa\n4,3,virginica\n')).columns).toBeUndefined();
    expect((await source('setosa\nvirginica\nsetosa\n')).shape).toEqual([3, 1]);
    expect((await source('species\nvirginica\nsetosa\n')).columns).toEqual(['species']);
    expect((await source('0,1\n3,4\n', 'yes')).columns).toEqual(['0', '1']);
    expect((await source('a,b\nc,d\n', 'no')).shape).toEqual([2, 2]);
    for (const cell of ['nan', 'inf', '-Infinity', '', 'NA']) {
      const rows = await source(`${cell},3.5,1.4\n1,2,3\n4,5,6\n`);
      expect(rows.shape).toEqual([3, 3]);
      expect(() => inputsOf(rows)).toThrow(/file, row 1: .*\(column 0\)/);
    }
  });

  it("with scikit-learn's own first row", async () => {
    const iris = await source('4,2,setosa,virginica\n1,2,0\n3,4,1\n5,6,1\n7,8,0\n');
    expect(iris).toMatchObject({ shape: [4, 3], classes: ['setosa', 'virginica'] });
    const target = decide(columnLabels(iris, 2), undefined);
    expect(target).toMatchObject({ task: 'classification', classes: ['setosa', 'virginica'] });
    expect([...target.values]).toEqual([0, 1, 1, 0]);
  });

  it.each([
    ['1,2\n3\n', 'row 2: it has 1 fields, the first row has 2'],
    ['1,2\n3,1e39\n', /row 2: 1e\+39 is more than f32 holds .*\(column 1\)/],
    ['1,2\n3,1e999\n', /row 2: Infinity is more than f32 holds/],
    ['a,b\n1,\n', "row 2: the cell is empty; expected a number. Fill it, or leave the row out (column 'b')"],
    ['a,b\n1,0x10\n', "row 2: '0x10' is not a finite number"],
    ['a,b\n1,NaN\n', "row 2: 'NaN' is not a finite number"],
    ['a,b\n1,"2\n3,4\n', 'row 2'],
    ['a,b\n', 'its one row names columns'],
  ])('refuses %j', async (content, message) => {
    await expect(source(content).then((s) => inputsOf(s))).rejects.toThrow(message);
  });

  it.each([
    ['<!DOCTYPE html><html>', 'an HTML page'],
    ['{"a": [1]}', 'JSON'],
    ['[[1, 2]]', 'JSON'],
    ['PK\x03\x04......archive/data.pkl', 'a PyTorch file'],
    ['PK\x03\x04......xl/workbook.xml', 'an Excel workbook'],
    ['PK\x03\x04......x.npy', 'an NPZ archive'],
    ['PK\x03\x04......', 'a ZIP archive'],
    ['\x89PNG\r\n\x1a\n', 'a PNG image'],
    ['PAR1......PAR1', 'a Parquet file'],
    ['\x80\x04\x95....', 'a Python pickle'],
    ['version https://git-lfs.github.com/spec/v1\n', 'a Git LFS pointer'],
  ])('is not %j, which is named', async (content, kind) => {
    await expect(source(Buffer.from(content, 'latin1'))).rejects.toThrow(`is ${kind}`);
  });
});

describe('numbers that f32 does not hold, in arrays', () => {
  const f64 = (value: number) => {
    const text = `{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }`.padEnd(117);
    const head = Uint8Array.of(0x93, ...Buffer.from('NUMPY'), 1, 0, 118, 0, ...Buffer.from(`${text}\n`));
    return Buffer.concat([head, new Uint8Array(Float64Array.of(1, 2, value, 4).buffer)]);
  };
  it('are refused with their place, as inputs and as labels', async () => {
    for (const value of [1e300, Number.NaN, Number.POSITIVE_INFINITY]) {
      const array = await source(f64(value));
      expect(() => inputsOf(array)).toThrow(`file, [1, 0]: ${value} is`);
      expect(() => columnLabels(array, 0)).toThrow(`[1, 0]: the label is ${value}`);
    }
    expect([...inputsOf(await source(f64(1e38))).values]).toEqual([1, 2, Math.fround(1e38), 4]);
  });
});

describe('labels', () => {
  it('are classes in a column, in [N, 1] and in [N], as floats too', async () => {
    for (const file of [
      column([0, 1, 2, 1]),
      encodeNpy(Float32Array.of(0, 1, 2, 1), [4, 1]),
      encodeNpy(Uint8Array.of(0, 1, 2, 1), [4]),
    ]) {
      const target = decide(await labels(file), undefined);
      expect(target).toMatchObject({ task: 'classification', outputs: 3, classes: ['0', '1', '2'] });
      expect([...target.values]).toEqual([0, 1, 2, 1]);
    }
  });

  it('in a pandas Series or frame without names, whose first row numbers the columns', async () => {
    const series = await labels(',0\n0,3\n1,5\n2,3\n3,5\n');
    expect(series).toMatchObject({ cells: [3, 5, 3, 5], name: '0' });
    expect(series.remarks.join()).toContain('numbers the columns');
    const frame = await source('0,1,2\n0.5,1.5,7\n2.5,3.5,8\n');
    expect(frame).toMatchObject({ shape: [2, 3], columns: ['0', '1', '2'] });
    expect((await source('0,1,2\n0.5,1.5,7\n', 'no')).shape).toEqual([2, 3]);
    // Fewer columns may be a sample like any other.
    expect((await source('0,1\n1,0\n')).shape).toEqual([2, 2]);
  });

  it('beside the index of a pandas Series are one column; two columns are refused', async () => {
    for (const file of [',y\n0,1\n2,0\n1,1\n', '0,1\n1,0\n2,1\n', '1,a\n2,b\n3,a\n']) {
      const found = await labels(file);
      expect(found.width).toBe(1);
      expect(found.remarks.join()).toContain('numbers the rows');
    }
    const two = await labels('a,b\n0.5,1\n3,0\n');
    expect(() => decide(two, undefined)).toThrow('2 columns');
    expect(decide(two, 'mse')).toMatchObject({ task: 'regression', outputs: 2 });
    expect((await labels('a,b\n0.5,1\n3,0\n', 'b')).cells).toEqual([1, 0]);
  });

  it('may be names, numbers from 1, or numbers with gaps: their spelling is kept', async () => {
    const named = decide(await labels(repeated(['no', 'yes'], 4)), undefined);
    expect([named.classes, ...named.values.slice(0, 2)]).toEqual([['no', 'yes'], 0, 1]);
    const ones = decide(await labels(repeated([3, 1, 2], 4)), undefined);
    expect([ones.classes, ...ones.values.slice(0, 3)]).toEqual([['1', '2', '3'], 2, 0, 1]);
    const gaps = decide(await labels(repeated([0, 1, 7], 4)), undefined);
    expect(gaps.classes).toEqual(['0', '1', '7']);
    expect(gaps.remarks.join()).toContain("5 don't occur");
    expect(decide(await labels(repeated([-1, 1], 4)), undefined).classes).toEqual(['-1', '1']);
    // Layers that have an output for every number keep the numbers.
    const layers = decide(await labels(repeated([0, 1, 7], 4)), undefined, 10);
    expect([layers.outputs, ...layers.values.slice(0, 3)]).toEqual([10, 0, 1, 7]);
  });

  it('of one class are trained on with a remark', async () => {
    expect(decide(await labels(repeated([0], 5)), undefined).remarks.join()).toContain(
      'nothing to tell apart',
    );
  });

  it('that look like values are refused as classes, and taken as values', async () => {
    const prices = column(Array.from({ length: 60 }, (_, i) => 100_000 + 977 * ((i * i) % 53)));
    await expect(decided(prices, undefined)).rejects.toThrow('--loss mse');
    expect(await decided(prices, 'mse')).toMatchObject({ task: 'regression', outputs: 1 });
    const rows = column(Array.from({ length: 30 }, (_, i) => i));
    await expect(decided(rows, undefined)).rejects.toThrow('look like values');
    await expect(decided(rows, 'cross-entropy')).rejects.toThrow('no classes');
    expect(decide(await labels(column([0.5, 1, 2])), undefined).task).toBe('regression');
    await expect(labels(column([1, 2, 'nan']))).rejects.toThrow('row 3');
    await expect(decided(column([1, 'two', 1]), undefined)).rejects.toThrow("'two' is not a finite number");
    await expect(decided(repeated(['a', 'b'], 3), 'mse')).rejects.toThrow("'a' is not a number");
  });

  it('of yes and no are 0 and 1', async () => {
    const target = decide(await labels(repeated(['yes', 'no'], 3)), 'bce-with-logits');
    expect([target.classes, ...target.values.slice(0, 2)]).toEqual([['no', 'yes'], 1, 0]);
    // All of one kind stay what they are.
    expect([...decide(await labels(repeated([1], 3)), 'bce-with-logits').values]).toEqual([1, 1, 1]);
    await expect(decided(repeated([0, 1, 2], 3), 'bce-with-logits')).rejects.toThrow('two classes');
  });
});

describe('columns', () => {
  const table = 'w,x,y\n1,2,a\n3,4,b\n';
  it('are found by name and by number, and nothing else', async () => {
    const named = await source(table);
    expect(['y', '2', ' y '].map((wish) => columnOf(named, wish))).toEqual([2, 2, 2]);
    for (const wish of ['', ' ', '3', '-1', 'z', '1.0']) expect(() => columnOf(named, wish)).toThrow();
    expect(columnOf(await source('1,2\n'), '1')).toBe(1);
    // A name that is a number is a name first.
    expect(columnOf(await source('2,0,1\n5,6,7\n', 'yes'), '0')).toBe(1);
  });

  it("are the model's by their names, whatever their order", async () => {
    const facts = { inputs: ['x', 'w'], target: 'y' };
    expect([...inputsFor(await source(table), facts, [2]).values]).toEqual([2, 1, 4, 3]);
    const missing = await source('w,z\n1,2\n');
    expect(() => inputsFor(missing, facts, [2])).toThrow('no column x');
    const other = inputsFor(await source('p,q\n1,2\n'), facts, [2]);
    expect([...other.values, other.remarks.join()]).toEqual([
      1,
      2,
      expect.stringContaining('taken in order'),
    ]);
    const wide = await source('1,2,3\n');
    expect(() => inputsFor(wide, facts, [2])).toThrow('--target');
    expect([...inputsFor(wide, facts, [2], { except: 0 }).values]).toEqual([2, 3]);
  });
});

describe('what a model keeps', () => {
  const facts: ModelFacts = {
    ...{ task: 'classification' as const, classes: ['a', 'b'], inputs: ['x'], target: 'y' },
    ...{ type: 'f32' as const, largest: 3 },
    transform: { mean: Float64Array.of(1), deviation: Float64Array.of(2) },
  };
  it('is read as it was written', () => {
    const read = factsOf('m', { ...notesOf(facts), other: 'kept' }, 1);
    expect(read).toEqual({ ...facts, transform: { mean: [1], deviation: [2] } });
    expect(factsOf('m', {}, 1)).toEqual({});
  });

  it.each([
    ['transform', 'no JSON'],
    ['transform', '{"scale":1e400,"shift":0}'],
    ['transform', '{"scale":0,"shift":0}'],
    ['transform', '{"mean":[1],"deviation":[0]}'],
    ['transform', '{"mean":[1,2],"deviation":[1,2]}'],
    ['transform', 'null'],
    ['task', '"clustering"'],
    ['classes', '[1]'],
    ['classes', '[]'],
    ['inputs', '["x","y"]'],
    ['type', '"f16"'],
    ['largest', '-1'],
    ['target', '{}'],
    ['inputs', '['.repeat(100_000)],
  ])('is refused where it is not sound: %s', (name, text) => {
    expect(() => factsOf('m', { [name]: text }, 1)).toThrow(
      expect.objectContaining({ code: 'invalid_data' }),
    );
  });

  it('is done to the inputs of every file, and bytes are told from other numbers', async () => {
    const bytes = await source(encodeNpy(Uint8Array.of(0, 255), [2, 1]));
    const floats = await numbers([0, 1], [2, 1]);
    const trained = { type: 'u8', largest: 255, transform: { scale: 1 / 255, shift: 0 } } as const;
    expect([...transformed(trained, inputsOf(bytes))]).toEqual([0, 1]);
    expect(otherUnit(trained, inputsOf(bytes))).toBeUndefined();
    expect(otherUnit(trained, inputsOf(floats))).toContain('--scale');
    expect(otherUnit({ type: 'f32', largest: 1 }, inputsOf(bytes))).toContain('--scale');
    expect(otherUnit({ type: 'f32', largest: 255 }, inputsOf(bytes))).toBeUndefined();
    expect(() => transformed({ transform: { scale: 1e38, shift: 0 } }, { ...inputsOf(bytes) })).toThrow(
      'more than f32 holds',
    );
  });
});

describe('answers', () => {
  const outputs = (values: readonly number[], width: number) => ({
    values: Float32Array.from(values),
    width,
  });
  it('are the largest output, the sign, or the value', async () => {
    expect(answersOf({}, outputs([1, 3, 3, Number.NaN, 0, 9], 3))).toEqual({
      kind: 'classes',
      classes: Int32Array.of(1, -1),
    });
    expect(answersOf({ task: 'binary' }, outputs([-1, 2], 1))).toEqual({
      kind: 'signs',
      classes: Int32Array.of(0, 1),
    });
    expect(answersOf({ task: 'regression' }, outputs([1, 2], 2)).kind).toBe('values');
    // One output without a task is no class.
    expect(answersOf({}, outputs([5], 1)).kind).toBe('values');
  });

  it('are compared by the names of classes', async () => {
    const facts = { task: 'classification', classes: ['a', 'b'] } as const;
    const out = outputs([1, 0, 0, 1, 0, 1], 2);
    const scoreOf = async (content: string) =>
      score(facts, out, expectedOf(facts, await labels(content), out));
    expect(await scoreOf('b\na\nb\n')).toMatchObject({ right: 1, of: 3 });
    expect(await scoreOf('0\n1\n1\n')).toMatchObject({ right: 3, of: 3 });
    await expect(scoreOf('c\na\nc\n')).rejects.toThrow(/row 1: the label is c, the model's classes are a, b/);
    await expect(scoreOf('0\n1\n2\n')).rejects.toThrow('the label is 2');
    await expect(scoreOf('a\na\n')).rejects.toThrow('2 labels');
    const binary = { task: 'binary', classes: ['no', 'yes'] } as const;
    const signs = outputs([-3, 4, 4], 1);
    expect(score(binary, signs, expectedOf(binary, await labels('no\nyes\nno\n'), signs))).toMatchObject({
      right: 2,
    });
    expect(score({ task: 'regression' }, outputs([1, 2], 1), [1, 4])).toEqual({ meanSquaredError: 2 });
  });
});
