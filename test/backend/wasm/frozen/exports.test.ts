import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { sectionsOf } from '../../../../src/backend/wasm/frozen/sections.ts';
import { RESERVED } from '../../../../src/backend/wasm/memory.ts';
import { createEngine, exportWasm, inspect, nn } from '../../../../src/index.ts';
import {
  type FrozenExports,
  instantiateFrozen,
  randomSamples,
  textAt,
  untrained,
} from '../../../support/frozen.ts';

const MOST = 9;
const files: Record<string, Uint8Array<ArrayBuffer>> = {};
beforeAll(async () => {
  using engine = await createEngine({ backend: 'wasm', threads: 1 });
  const frozen = untrained(nn.sequential(nn.linear(5, 13), nn.gelu(), nn.linear(13, 3)), [5]);
  const int8 = await engine.quantize(frozen, { calibration: randomSamples(500, 1) });
  files.int8 = await exportWasm(int8, { maxBatch: MOST });
  files['int8 from bytes'] = await exportWasm(int8, {
    maxBatch: MOST,
    byteInput: { scale: 0.01, shift: -1 },
  });
  files.f32 = await exportWasm(frozen, { maxBatch: MOST, f32: true });
});
const kinds = ['int8', 'int8 from bytes', 'f32'];

describe.each(kinds)('a frozen module, %s', (kind) => {
  let e: FrozenExports;
  beforeAll(async () => {
    e = await instantiateFrozen(files[kind]);
  });

  it('imports nothing and exports what docs/ABI.md says', async () => {
    const module = await WebAssembly.compile(files[kind]);
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    expect(
      WebAssembly.Module.exports(module)
        .map(({ name, kind }) => `${kind} ${name}`)
        .sort(),
    ).toEqual([
      'function abi_version',
      'function input',
      'function input_bytes',
      'function inputs',
      'function max_batch',
      'function name',
      'function output',
      'function output_bytes',
      'function outputs',
      'function query',
      'function run',
      'function verify',
      'memory memory',
    ]);
  });

  it('has a memory of one size, declared', () => {
    const pages = e.memory.buffer.byteLength / 65536;
    expect(pages).toBe(inspect(files[kind]).memoryBytes / 65536);
    expect(() => e.memory.grow(1)).toThrow();
    // Memory section: one memory, which has a maximum, equal to what it starts with.
    const { start, end } = sectionsOf(files[kind], 'it').find((s) => s.id === 5)!;
    const bytes = [...files[kind].subarray(start, end)];
    expect(bytes.slice(0, 2)).toEqual([1, 1]);
    expect(bytes.slice(2, 2 + (bytes.length - 2) / 2)).toEqual(bytes.slice(2 + (bytes.length - 2) / 2));
  });

  it('answers about itself', () => {
    const info = inspect(files[kind]);
    expect([e.abi_version(), e.max_batch()]).toEqual([2, MOST]);
    expect([e.inputs(), e.outputs(), info.inputs, info.outputs]).toEqual([1, 1, [info.input], [info.output]]);
    expect([0, 1].map((tensor) => textAt(e, e.name(tensor)))).toEqual(['input', 'output']);
    const codes = { f32: 0, i32: 1, u8: 2, i8: 3 };
    for (const [i, t] of [info.input, info.output].entries()) {
      const facts = [0, 1, 2, 3, 4].map((field) => e.query(i, field));
      expect(facts).toEqual([codes[t.dtype], 1, t.scale, t.zeroPoint, t.shape[0]]);
    }
    const bytes = (t: { dtype: string; shape: readonly number[] }) =>
      t.shape[0] * (t.dtype === 'f32' ? 4 : 1);
    expect([e.input_bytes(), e.output_bytes()]).toEqual([bytes(info.input), bytes(info.output)]);
    expect((e.input() % 64) + (e.output() % 64)).toBe(0);
    expect(e.query(-1, 0)).toBe(0);
  });

  it('gives NaN for facts that there are not', () => {
    const ints = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(ints, ints, (tensor, field) => {
        const known = (tensor === 0 || tensor === 1) && field >= 0 && field < 5;
        fc.pre(!known && !(tensor === -1 && field === 0));
        expect(e.query(tensor, field)).toBeNaN();
      }),
      {
        examples: [
          [0, 5],
          [1, 5],
          [0, 11],
          [0, 12],
          [1, -1],
          [2, 0],
          [3, 0],
          [-1, 1],
          [-2, 0],
        ],
      },
    );
  });

  it('has nothing behind its last input and output', () => {
    for (const index of [1, 2, -1, 2 ** 31 - 1])
      expect([e.input(index), e.output(index), e.input_bytes(index), e.output_bytes(index)]).toEqual([
        0, 0, 0, 0,
      ]);
    expect([e.name(2), e.name(-1)]).toEqual([0, 0]);
  });

  it('refuses every count that is not 1 to the most', () => {
    const bad = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).filter((n) => n < 1 || n > MOST);
    const before = new Uint8Array(e.memory.buffer).slice();
    fc.assert(
      fc.property(bad, (count) => {
        expect(e.run(count)).toBe(1);
      }),
      { examples: [[0], [-1], [MOST + 1], [2 ** 31 - 1], [-(2 ** 31)], [0x10000001]] },
    );
    expect(Buffer.compare(new Uint8Array(e.memory.buffer), before)).toBe(0);
  });

  it('reads only the samples of a run and writes only their results', async () => {
    const random = fc.tuple(fc.integer({ min: 1, max: MOST }), fc.infiniteStream(fc.nat(255)));
    const { dtype } = inspect(files[kind]).output;
    fc.assert(
      fc.property(random, ([count, stream]) => {
        const bytes = new Uint8Array(e.memory.buffer);
        const [into, inBytes] = [e.input(), e.input_bytes() * count];
        const [out, outBytes] = [e.output(), e.output_bytes() * count];
        const next = () => stream.next().value as number;
        // Any bits at all: NaN and infinity too.
        const samples = Uint8Array.from({ length: inBytes }, next);
        const rest = (fill: number) => {
          bytes.fill(fill, into, into + e.input_bytes() * MOST);
          bytes.fill(fill, out, out + e.output_bytes() * MOST);
          bytes.set(samples, into);
          expect(e.run(count)).toBe(0);
          expect([...bytes.subarray(into, into + inBytes)]).toEqual([...samples]);
          // A tensor's bytes up to the next multiple of 4 are its own.
          const after = bytes.subarray(Math.ceil((out + outBytes) / 4) * 4, out + e.output_bytes() * MOST);
          expect(after.every((b) => b === fill)).toBe(true);
          expect(e.verify()).toBe(0);
          const results = bytes.slice(out, out + outBytes);
          return dtype === 'f32' ? [...new Float32Array(results.buffer)] : [...results];
        };
        expect(rest(0xab)).toEqual(rest(0x00));
      }),
      { numRuns: 60 },
    );
  });

  it('tells when its weights were written to, and when they were put back', () => {
    const bytes = new Uint8Array(e.memory.buffer);
    expect(e.verify()).toBe(0);
    // The constants at the end of what the module reserves, the header, weights, packed weights.
    for (const at of [-800, 16, 320, 400, 640].map((offset) => RESERVED + offset)) {
      bytes[at] ^= 0x10;
      expect(e.verify(), `byte ${at}`).toBe(2);
      bytes[at] ^= 0x10;
      expect(e.verify()).toBe(0);
    }
  });

  it('does not believe a header that was written to', () => {
    const words = new Uint32Array(e.memory.buffer, RESERVED, 20);
    const most = words[4];
    words[4] = 0xffffffff;
    expect([e.max_batch(), e.run(MOST + 1), e.run(1)]).toEqual([MOST, 1, 0]);
    words[4] = most;
  });

  it('gives every instance a memory of its own', async () => {
    const module = await WebAssembly.compile(files[kind]);
    const [a, b] = [0, 1].map(() => new WebAssembly.Instance(module).exports as unknown as FrozenExports);
    new Uint8Array(a.memory.buffer, a.input(), a.input_bytes()).fill(0x3f);
    expect([a.run(1), b.run(1)]).toEqual([0, 0]);
    const result = (x: FrozenExports) => [...new Uint8Array(x.memory.buffer, x.output(), x.output_bytes())];
    expect(result(a)).not.toEqual(result(b));
  });
});
