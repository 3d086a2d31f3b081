/** Frozen files hold the kernels of their own records, and no others. */
import binaryen from 'binaryen';
import { beforeAll, describe, expect, it } from 'vitest';
import { withoutUnused } from '../../../../src/backend/wasm/frozen/parts.ts';
import { CODE, readLeb, sectionsOf } from '../../../../src/backend/wasm/frozen/sections.ts';
import { inflate } from '../../../../src/backend/wasm/load.ts';
import { parts, templates } from '../../../../src/generated/frozen.ts';
import { exportWasm, nn } from '../../../../src/index.ts';
import { dividedTemplate } from '../../../../tools/build/frozen-parts.ts';
import { namedRecords } from '../../../../tools/build/named-records.ts';
import { instantiateFrozen, randomSamples, runFrozen, untrained } from '../../../support/frozen.ts';

const [MATMUL, PACK, SOFTMAX] = ['matmul', 'pack', 'softmax'].map(
  (name) => namedRecords.find((r) => r.name === name)!.opcode,
);

/** Places of the functions that are nothing but `unreachable`. */
function emptyIn(bytes: Uint8Array): Set<number> {
  const { start } = sectionsOf(bytes, 'it').find(({ id }) => id === CODE)!;
  const [count, first] = readLeb(bytes, start, 'it');
  const empty = new Set<number>();
  for (let place = 0, at = first; place < count; place++) {
    const [size, body] = readLeb(bytes, at, 'it');
    if (size === 3 && bytes[body + 1] === 0) empty.add(place);
    at = body + size;
  }
  return empty;
}

describe('a frozen multilayer perceptron', () => {
  const model = untrained(nn.sequential(nn.linear(20, 30), nn.relu(), nn.linear(30, 7)), [20]);
  let file: Uint8Array<ArrayBuffer>;
  beforeAll(async () => {
    file = await exportWasm(model, { f32: true, maxBatch: 8 });
  });

  it('has what its products need, and nothing of the other kernels', () => {
    const { [MATMUL]: product, [PACK]: packing, ...others } = parts['full-simd128'];
    const needed = new Set([...product, ...packing]);
    const unneeded = Object.values(others)
      .flat()
      .filter((place) => !needed.has(place));
    expect(unneeded.length).toBeGreaterThan(20);
    expect(emptyIn(file)).toEqual(new Set(unneeded));
  });

  it('is smaller by a third of the kernels at least, and exports what files always did', async () => {
    const template = await inflate(templates['full-simd128']);
    const whole = withoutUnused(
      template,
      parts['full-simd128'],
      new Set(Object.keys(parts['full-simd128']).map(Number)),
    );
    expect(Buffer.from(whole).equals(template)).toBe(true);
    const code = withoutUnused(template, parts['full-simd128'], new Set([MATMUL, PACK]));
    expect(code.length).toBeLessThan((template.length * 2) / 3);
    const names = WebAssembly.Module.exports(new WebAssembly.Module(file)).map((e) => e.name);
    expect(names).toEqual(expect.arrayContaining(['memory', 'run', 'verify', 'query']));
    expect(names.filter((name) => /^(record_\d+|step)$/.test(name))).toEqual([]);
  });

  it.each([
    ['whose kernel is not in the file', SOFTMAX],
    ['that there is not', 999],
  ])('traps at a record %s', async (_, opcode) => {
    const samples = randomSamples(20, 4);
    const { run, verify, memory } = await instantiateFrozen(file);
    // Where the header of assembly/frozen/runtime.ts keeps the tape for one sample.
    const tape = new DataView(memory.buffer).getUint32(9216 + 48 + 8, true);
    const words = new Uint32Array(memory.buffer, tape, 1);
    expect(words[0]).toBe(MATMUL);
    expect(run(1)).toBe(0);
    words[0] = opcode;
    expect(() => run(1)).toThrow(WebAssembly.RuntimeError);
    expect(verify()).toBe(2);
    expect(await runFrozen(file, samples, 1)).toHaveLength(7);
  });
});

describe('what a record needs', () => {
  /** Record 1 calls through a table, record 2 has its own function, both share one; `once` runs at the start. */
  const text = `(module
    (type $f (func (param i32)))
    (table 2 funcref) (elem (i32.const 0) $indirect $other)
    (memory (export "memory") 1)
    (func $shared (param i32) (i32.store (i32.const 0) (local.get 0)))
    (func $indirect (type $f) (param i32) (call $shared (local.get 0)))
    (func $other (type $f) (param i32) (i32.store (i32.const 4) (local.get 0)))
    (func $plain (param i32) (i32.store (i32.const 8) (local.get 0)))
    (func $record_1 (export "record_1") (param i32) (call_indirect (type $f) (local.get 0) (local.get 0)))
    (func $record_2 (export "record_2") (param i32) (call $plain (local.get 0)) (call $shared (local.get 0)))
    (func $once (i32.store (i32.const 12) (i32.const 1)))
    (start $once)
    (func $step (export "step") (param i32 i32)
      (if (i32.eq (local.get 0) (i32.const 1)) (then (call $record_1 (local.get 1))) (else (call $record_2 (local.get 1)))))
    (func (export "run") (param i32 i32) (call $step (local.get 0) (local.get 1))))`;
  const module = binaryen.parseText(text);
  const { bytes, parts: found } = dividedTemplate(Uint8Array.from(module.emitBinary()));
  module.dispose();
  const [SHARED, INDIRECT, OTHER, PLAIN, RECORD_1, RECORD_2] = [0, 1, 2, 3, 4, 5];

  it('is what it calls, also through a table', () => {
    expect(found[1]).toEqual(expect.arrayContaining([SHARED, INDIRECT, OTHER, RECORD_1]));
    expect(found[1]).not.toContain(PLAIN);
    expect(found[2]).toEqual([SHARED, PLAIN, RECORD_2]);
  });

  it('stays when others go, and what is exported or runs at the start always does', async () => {
    const only = async (opcode: number) => {
      const edited = withoutUnused(bytes, found, new Set([opcode]));
      const { instance } = await WebAssembly.instantiate(Uint8Array.from(edited));
      return instance.exports as { run(opcode: number, value: number): void; memory: WebAssembly.Memory };
    };
    const first = await only(1);
    first.run(1, 0);
    first.run(1, 1);
    expect([...new Int32Array(first.memory.buffer, 0, 4)]).toEqual([0, 1, 0, 1]);
    expect(() => first.run(2, 5)).toThrow(/unreachable/);
    const second = await only(2);
    second.run(2, 5);
    expect([...new Int32Array(second.memory.buffer, 0, 4)]).toEqual([5, 0, 5, 1]);
    expect(() => second.run(1, 0)).toThrow(/unreachable/);
    expect(Object.keys(second).sort()).toEqual(['memory', 'run']);
  });
});
