import { describe, expect, it } from 'vitest';
import { batchesOf } from '../../src/data/batches.ts';
import * as data from '../../src/data/index.ts';

const f32 = (...shape: number[]) => ({ dtype: 'f32', shape }) as const;
const i32 = (...shape: number[]) => ({ dtype: 'i32', shape }) as const;
const types = { input: f32(2), target: i32() };
/** Row i is (i, i / 2), of class i % 3. */
const row = (i: number) => ({ input: [i, i / 2], target: i % 3 });
const counted = (n: number) => Array.from({ length: n }, (_, i) => row(i));
function* generated(n: number) {
  for (let i = 0; i < n; i++) yield row(i);
}
const stream = (n: number, more: object = {}) => data.fromStream(() => generated(n), { ...types, ...more });

/** The first input of each row of a pass, and whether all else of the row is right. */
async function read(of: data.StreamDataSet, pass = 0): Promise<number[]> {
  const firsts: number[] = [];
  for await (const { count, inputs, targets } of of.rows(pass))
    for (let i = 0; i < count; i++) {
      const [a, b] = inputs.input.subarray(i * 2);
      expect([b, targets.target[i]]).toEqual([Math.fround(a / 2), a % 3]);
      firsts.push(a);
    }
  return firsts;
}
/** The same of samples by position, of types by names. */
async function gathered(of: data.AnyDataSet, indices: number[]): Promise<number[][]> {
  const set = data.named(of);
  const count = indices.length;
  const [inputs, targets] = [{ input: new Float32Array(count * 2) }, { target: new Int32Array(count) }];
  await set.gather(indices, inputs, targets);
  return indices.map((_, i) => [...inputs.input.subarray(i * 2, i * 2 + 2), targets.target[i]]);
}
const upTo = (n: number, from = 0) => Array.from({ length: n - from }, (_, i) => from + i);
const fault = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error: { code: string; message: string; cause?: unknown }) => error,
  );

describe('a stream', () => {
  it('takes rows from arrays, generators, async generators, promises and functions, one or several at once', async () => {
    async function* slowly() {
      for (const item of counted(5)) yield item;
    }
    for (const source of [
      ...[counted(5), generated(5), slowly(), () => generated(5), async () => slowly()],
      counted(5).map((item) => Promise.resolve(item)) as never,
      [{ input: Float32Array.of(0, 0, 1, 0.5), target: [0, 1] }, ...counted(5).slice(2)],
      [row(0), { input: [], target: [] }, { input: [1, 0.5, 2, 1, 3, 1.5, 4, 2], target: [1, 2, 0, 1] }],
    ])
      expect(await read(data.fromStream(source, types))).toEqual(upTo(5));
  });

  it('has names where types have', async () => {
    const named = data.fromStream([{ inputs: { a: 1, b: [2, 3] }, targets: { t: 4 } }], {
      ...{ inputs: { a: f32(), b: i32(2) }, targets: { t: f32() } },
    });
    for await (const rows of named.rows(0))
      expect(rows).toEqual({
        count: 1,
        inputs: { a: Float32Array.of(1), b: Int32Array.of(2, 3) },
        targets: { t: Float32Array.of(4) },
      });
    const answers = data.fromStream([{ input: [1, 2] }], { input: f32(2) });
    for await (const rows of answers.rows(0)) expect(rows.targets).toEqual({});
  });

  it('comes in whole batches and what is left', async () => {
    const source = [{ input: [0, 0, 1, 0.5, 2, 1, 3, 1.5], target: [0, 1, 2, 0] }, ...counted(8).slice(4)];
    const sizes = async (size: number, dropLast?: boolean) => {
      const seen: number[][] = [];
      for await (const { count, first, inputs } of batchesOf(
        data.fromStream(source, types),
        0,
        size,
        dropLast,
      ))
        seen.push([first, count, inputs.input[0], inputs.input.length]);
      return seen;
    };
    expect(await sizes(3)).toEqual([
      [0, 3, 0, 6],
      [3, 3, 3, 6],
      [6, 2, 6, 4],
    ]);
    expect(await sizes(3, true)).toHaveLength(2);
    expect(await sizes(8)).toEqual([[0, 8, 0, 16]]);
    expect(await sizes(9)).toEqual([[0, 8, 0, 16]]);
  });

  it.each<[what: string, source: unknown, code: string, message: RegExp]>([
    [
      'a short row',
      [row(0), { input: [1], target: 0 }],
      'shape_mismatch',
      /row 1: input has 1 values, expected 2 for each row of \[2\]/,
    ],
    [
      'rows for one target',
      [row(0), { input: [1, 2, 3, 4], target: 0 }],
      'shape_mismatch',
      /row 1: target has 1 values, 1 rows of \[\]; input has 2/,
    ],
    ['no target', [{ input: [1, 2] }], 'invalid_data', /row 0: target is undefined, expected a number/],
    ['a text', [{ input: '12', target: 0 }], 'invalid_data', /input is string/],
    [
      'lists in a list',
      [{ input: [[1], [2]], target: 0 }],
      'invalid_data',
      /has Array at 0, expected numbers in one flat array/,
    ],
    [
      'half a class',
      [{ input: [1, 2], target: 0.5 }],
      'dtype_mismatch',
      /target has 0.5 at 0, expected whole numbers/,
    ],
    ['a row that is none', [undefined], 'invalid_data', /row 0 is undefined, expected an object/],
    ['no source', 7, 'invalid_argument', /the source is number, expected rows/],
  ])('refuses %s', async (_, source, code, message) => {
    const error = await fault(read(data.fromStream(source as never, types)));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('says what the source threw, where, and what it was', async () => {
    const reason = new Error('the line is dead');
    const broken = data.fromStream(function* () {
      yield row(0);
      throw reason;
    }, types);
    const error = await fault(read(broken));
    expect(error).toMatchObject({ code: 'invalid_data', cause: reason });
    expect(error.message).toBe("the stream's source threw at row 1 of pass 0: the line is dead");
    const refused = await fault(read(data.fromStream(() => Promise.reject(reason), types)));
    expect(refused).toMatchObject({ code: 'invalid_data', cause: reason });
  });

  it('holds to its length, and to being read once where its source can be', async () => {
    expect(await read(stream(4, { length: 4 }))).toEqual(upTo(4));
    const short = await fault(read(stream(3, { length: 4 })));
    expect(short.message).toBe('the stream ended after 3 rows; it was said to have 4');
    expect((await fault(read(stream(5, { length: 4 })))).message).toMatch(/more than 4 rows/);
    const once = data.fromStream(generated(3), types);
    expect(await read(once)).toEqual(upTo(3));
    const error = await fault(read(once));
    expect(error).toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(/gone through once/),
    });
    const twice = data.fromStream(counted(3), types);
    expect([await read(twice), await read(twice, 1)]).toEqual([upTo(3), upTo(3)]);
  });

  it('closes its source where nobody reads on', async () => {
    let closed = 0;
    const source = function* () {
      try {
        yield* generated(9);
      } finally {
        closed++;
      }
    };
    expect(await read(data.take(data.fromStream(source, types), 2))).toEqual([0, 1]);
    expect(closed).toBe(1);
  });

  it('is refused without types or with both kinds of them', () => {
    expect(() => data.fromStream([], {})).toThrow(/input is missing/);
    expect(() => data.fromStream([], { ...types, inputs: { a: f32() } })).toThrow(/give input or inputs/);
    expect(() => data.fromStream([], { ...types, length: 0 })).toThrow(/length is 0/);
    expect(() => data.fromStream([], { input: f32(0) })).toThrow(/input is/);
  });
});

describe('what is made of streams and data sets', () => {
  const set = data.fromArrays({
    input: Float32Array.from({ length: 20 }, (_, i) => (i % 2 ? (i - 1) / 4 : i / 2)),
    inputShape: [2],
    target: Int32Array.from({ length: 10 }, (_, i) => i % 3),
  });

  it('shuffle draws from a buffer, other orders for other passes, the same for the same', async () => {
    const shuffled = data.shuffle(stream(10), { buffer: 4, seed: 3 });
    const orders = [await read(shuffled, 0), await read(shuffled, 1)];
    expect(orders).toEqual([
      [1, 0, 4, 5, 2, 3, 7, 6, 8, 9],
      [1, 4, 5, 3, 0, 7, 8, 2, 6, 9],
    ]);
    for (const order of orders) {
      expect([...order].sort((a, b) => a - b)).toEqual(upTo(10));
      // A row comes out before its place by as many as the buffer holds at most.
      for (const [at, i] of order.entries()) expect(i - at).toBeLessThan(4);
    }
    expect(await read(shuffled, 1)).toEqual(orders[1]);
    expect(await read(data.shuffle(stream(10), { buffer: 1 }))).toEqual(upTo(10));
    expect(await read(data.shuffle(stream(3), { buffer: 100 }))).toHaveLength(3);
    // Each row is as likely as others to come first.
    const firsts = new Set<number>();
    const all = data.shuffle(stream(10), { buffer: 10 });
    for (let pass = 0; pass < 60; pass++) firsts.add((await read(all, pass))[0]);
    expect(firsts.size).toBe(10);
    expect(() => data.shuffle(stream(1), { buffer: 0 })).toThrow(/buffer is 0/);
  });

  it('map works row by row or on several, of either kind, with new types', async () => {
    const seen: number[] = [];
    const twice: data.RowFunction = async ({ input, count }, index) => {
      expect(count).toBe(1);
      seen.push(index);
      return { input: input.map((v) => v * 2) };
    };
    expect(await gathered(data.map(set, twice), [7, 2])).toEqual([
      [14, 7, 1],
      [4, 2, 2],
    ]);
    expect(seen.splice(0)).toEqual([7, 2]);
    const squares = data.map(stream(3), ({ input }) => ({ input: input[0] ** 2 }), { input: f32() });
    expect(squares.inputs).toEqual({ input: f32() });
    const values: number[] = [];
    for await (const { inputs } of squares.rows(0)) values.push(inputs.input[0]);
    expect(values).toEqual([0, 1, 4]);
    const sizes: number[][] = [];
    const batched = data.map(
      set,
      ({ input, target, count }, index) => {
        sizes.push([count, index]);
        return { input: input.map((v) => -v), target };
      },
      { batched: true },
    );
    expect(await gathered(batched, [1, 3])).toEqual([
      [-1, -0.5, 1],
      [-3, -1.5, 0],
    ]);
    expect(sizes).toEqual([[2, 1]]);
    expect(batched.length).toBe(10);
    const error = await fault(
      gathered(
        data.map(set, () => ({ input: [1, 2, 3, 4], target: [0, 0] })),
        [0],
      ),
    );
    expect(error).toMatchObject({
      code: 'shape_mismatch',
      message: expect.stringMatching(/made 2 rows of 1/),
    });
    expect(
      (
        await fault(
          gathered(
            data.map(set, () => ({ input: [1] })),
            [4],
          ),
        )
      ).message,
    ).toMatch(/map's row 4: input has 1/);
  });

  it('take, skip and concat count rows of streams, however they come, and samples', async () => {
    const chunks = data.fromStream(
      [{ input: [0, 0, 1, 0.5, 2, 1, 3, 1.5], target: [0, 1, 2, 0] }, ...counted(8).slice(4)],
      { ...types, length: 8 },
    );
    expect(await read(data.take(chunks, 3))).toEqual([0, 1, 2]);
    expect(await read(data.skip(chunks, 3))).toEqual(upTo(8, 3));
    expect(await read(data.take(data.skip(chunks, 2), 4))).toEqual(upTo(6, 2));
    expect([data.take(chunks, 3).length, data.skip(chunks, 3).length, data.take(chunks, 99).length]).toEqual([
      3, 5, 8,
    ]);
    expect(data.skip(stream(3), 1).length).toBeUndefined();
    const both = data.concat(stream(2, { length: 2 }), chunks);
    expect([both.length, await read(both)]).toEqual([10, [0, 1, ...upTo(8)]]);
    expect(data.concat(stream(2), chunks).length).toBeUndefined();
    const [a, b] = [data.take(set, 4), data.skip(set, 7)];
    const joined = data.concat(a, b, set);
    expect(joined.length).toBe(17);
    expect((await gathered(joined, [0, 3, 4, 6, 7, 16, 2])).map(([v]) => v)).toEqual([0, 3, 7, 9, 0, 9, 2]);
    expect(joined.input).toEqual(set.input);
    expect((await fault(gathered(joined, [17]))).message).toMatch(
      /sample 17 was asked for; the data sets have 17/,
    );
    expect(() => data.concat<data.AnySamples>(set, stream(1))).toThrow(/one kind/);
    const other = data.fromStream([], { input: f32(3), target: i32() });
    expect(() => data.concat(stream(1), other)).toThrow(
      /got input f32 \[2\] for target i32 \[\], and then input f32 \[3\] for/,
    );
  });

  it('balance draws classes alike and samples of a class alike, others each pass', async () => {
    // 8 of class 0, one of class 1, one of class 2.
    const classes = [0, 0, 0, 1, 0, 0, 2, 0, 0, 0];
    const balanced = data.balance(set, classes, { length: 3000, seed: 5 });
    expect(balanced.length).toBe(3000);
    const drawn = await read(balanced);
    const counts = upTo(10).map((i) => drawn.filter((v) => v === i).length);
    for (const i of [3, 6]) expect(Math.abs(counts[i] - 1000)).toBeLessThan(100);
    for (const i of [0, 1, 2, 4, 5, 7, 8, 9]) expect(Math.abs(counts[i] - 125)).toBeLessThan(45);
    expect(await read(balanced)).toEqual(drawn);
    expect(await read(balanced, 1)).not.toEqual(drawn);
    expect((await read(data.balance(set, classes))).length).toBe(10);
    // Weights of 0 are never drawn.
    const some = await read(data.sample(set, [0, 0, 1, 0, 0, 0, 0, 3, 0, 0], { length: 400 }));
    expect(new Set(some)).toEqual(new Set([2, 7]));
    expect(Math.abs(some.filter((v) => v === 7).length - 300)).toBeLessThan(40);
    expect(() => data.sample(set, [1])).toThrow(/1 weights for 10 samples/);
    expect(() => data.sample(set, new Array(10).fill(0))).toThrow(/add up to 0/);
    expect(() => data.sample(set, [-1, 1, 1, 1, 1, 1, 1, 1, 1, 1])).toThrow(/weights is/);
    expect(() => data.balance(set, [1])).toThrow(/1 classes for 10/);
  });

  it('split keeps groups together', () => {
    const groups = upTo(60).map((i) => Math.floor(i / 6) + (i % 2) * 100);
    for (let seed = 0; seed < 20; seed++) {
      const { train, test } = data.split(60, 0.3, { groups, seed });
      const [a, b] = [train, test].map((part) => new Set(Array.from(part, (i) => groups[i])));
      expect([...a].filter((g) => b.has(g))).toEqual([]);
      expect([train.length, test.length]).toEqual([42, 18]);
    }
    // One large group and small ones: as near as they come.
    const uneven = [...new Array(50).fill(1), 2, 2, 3, 3, 4];
    expect(data.split(55, 0.1, { groups: uneven }).test.length).toBe(5);
    expect(data.split(4, 0.1, { groups: [1, 1, 1, 2] }).test).toEqual(Uint32Array.of(3));
    expect(() => data.split(3, 0.5, { groups: [1, 1, 1] })).toThrow(/1 group can't/);
    expect(() => data.split(3, 0.5, { groups: [1, 1, 2], classes: [0, 1, 1] })).toThrow(/one of them/);
    expect(() => data.split(3, 0.5, { groups: [1] })).toThrow(/1 groups for 3/);
  });
});
