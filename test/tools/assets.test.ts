import { describe, expect, test } from 'vitest';
import { stripWgsl } from '../../tools/build/assets.ts';
import { inspectWasm } from '../../tools/build/inspect-wasm.ts';

describe('stripWgsl', () => {
  test('takes away comments, indents and empty lines, and nothing else', () => {
    const source = ['// top', 'fn f() { // why', '', '  let a = b / c;', '}', ''].join('\n');
    expect(stripWgsl(source)).toBe('fn f() {\nlet a = b / c;\n}\n');
  });

  test('block comments nest, as in WGSL', () => {
    expect(stripWgsl('a /* 1 /* 2 */ 3 /** 4 **/ */ b /* c\n d */ e')).toBe('a   b   e\n');
  });
});

describe('inspectWasm', () => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const text = (name: string) => [name.length, ...new TextEncoder().encode(name)];
  const memory = (flags: number) => [...text('env'), ...text('memory'), 2, flags, 0, 0x80, 0x80, 4];
  const section = (id: number, ...body: number[]) => [id, body.length, ...body];

  test('finds the flags of the imported memory', () => {
    const bytes = Uint8Array.of(...header, ...section(2, 1, ...memory(1)));
    const facts = inspectWasm(bytes);
    expect(facts).toMatchObject({ imports: ['env.memory'], hasData: false });
    expect(bytes[facts.memoryFlagsAt]).toBe(1);
  });

  test('setting the flags to 3 makes a module for a shared memory', () => {
    const bytes = Uint8Array.of(...header, ...section(2, 1, ...memory(1)));
    const limits = { initial: 1, maximum: 2 };
    const plain = new WebAssembly.Memory(limits);
    const shared = new WebAssembly.Memory({ ...limits, shared: true });
    const link = (memory: WebAssembly.Memory) =>
      new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    expect(() => link(plain)).not.toThrow();
    expect(() => link(shared)).toThrow(/memory/);
    bytes[inspectWasm(bytes).memoryFlagsAt] = 3;
    expect(() => link(shared)).not.toThrow();
  });

  test('sees data segments and foreign imports', () => {
    expect(inspectWasm(Uint8Array.of(...header, ...section(11, 0))).hasData).toBe(true);
    const abort = [...text('env'), ...text('abort'), 0, 0];
    expect(inspectWasm(Uint8Array.of(...header, ...section(2, 1, ...abort))).imports).toEqual(['env.abort']);
  });
});
