import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWasmBackend } from '../../../src/backend/wasm/backend.ts';
import { instantiate } from '../../../src/backend/wasm/load.ts';
import { RESERVED, WasmHeap } from '../../../src/backend/wasm/memory.ts';
import { takeSpare, writtenBytes } from '../../../src/backend/wasm/spare.ts';
import { data, nn, optim } from '../../../src/index.ts';
import { Engine } from '../../../src/scheduler/engine.ts';

const heap = (pages: number) => new WasmHeap(new WebAssembly.Memory({ initial: 1, maximum: 65536 }), pages);

describe('the heap', () => {
  it('never hands out a byte twice, and takes everything back', () => {
    const action = fc.oneof(fc.record({ allocate: fc.nat(5000) }), fc.record({ release: fc.nat(20) }));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const h = heap(64);
        const live: { address: number; bytes: number }[] = [];
        for (const a of actions) {
          if ('allocate' in a) {
            const address = h.allocate(a.allocate, 'test');
            expect(address % 64).toBe(0);
            expect(address).toBeGreaterThan(0);
            expect(address + a.allocate).toBeLessThanOrEqual(h.memory.buffer.byteLength);
            for (const b of live)
              expect(
                address + Math.max(a.allocate, 1) <= b.address || b.address + Math.max(b.bytes, 1) <= address,
              ).toBe(true);
            live.push({ address, bytes: a.allocate });
          } else if (live.length) {
            const [gone] = live.splice(a.release % live.length, 1);
            h.release(gone.address, gone.bytes);
          }
        }
        for (const { address, bytes } of live) h.release(address, bytes);
        expect(h.allocatedBytes).toBe(0);
        // All joined again: the largest block there can be fits without growing.
        const size = h.memory.buffer.byteLength;
        h.allocate(size - RESERVED, 'everything');
        expect(h.memory.buffer.byteLength).toBe(size);
      }),
    );
  });

  it('leaves the module its constants', async () => {
    const { exports } = await instantiate();
    expect(exports.reservedBytes()).toBe(RESERVED);
  });

  it('refuses with the figures when memory may not grow any further', () => {
    const h = heap(2);
    h.allocate(100_000, 'the first');
    expect(() => h.allocate(100_000, 'the second')).toThrow(/the second needs 0.1 MiB; .*can't pass 0.1 MiB/);
  });

  it('leaves a shared memory to the next heap, zeroed wherever it was written; one that is not shared to nobody', () => {
    while (takeSpare(0));
    heap(1).leave();
    expect(takeSpare(0)).toBeUndefined();
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 64, shared: true });
    const first = new WasmHeap(memory, 64);
    for (const bytes of [100, 70_000, 3000]) {
      const address = first.allocate(bytes, 'a', false);
      new Uint8Array(memory.buffer, address, bytes).fill(7);
      if (bytes > 5000) first.release(address, bytes);
    }
    first.leave();
    expect(takeSpare(memory.buffer.byteLength + 1)).toBeUndefined();
    expect(takeSpare(memory.buffer.byteLength)).toBe(memory);
    expect(takeSpare(0)).toBeUndefined();
    const second = new WasmHeap(memory, 64);
    for (const bytes of [40, 60_000, 9000, 200_000]) {
      const address = second.allocate(bytes, 'b');
      expect(new Uint8Array(memory.buffer, address, bytes).every((v) => v === 0)).toBe(true);
      new Uint8Array(memory.buffer, address, bytes).fill(9);
    }
    // What was never written is not written to be zeroed either, so that its pages need not be there.
    second.leave();
    expect(writtenBytes(memory)).toBeLessThan(memory.buffer.byteLength);
  });

  it('gives zeroed memory, also where something else was before', () => {
    const h = heap(2);
    const address = h.allocate(256, 'a');
    new Uint8Array(h.memory.buffer, address, 256).fill(7);
    h.release(address, 256);
    expect(new Uint8Array(h.memory.buffer, h.allocate(256, 'b'), 256).every((v) => v === 0)).toBe(true);
  });
});

describe('memory of an engine', () => {
  const inputs = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
  const set = data.fromArrays({ input: inputs, inputShape: [8], target: new Int32Array(8) });

  it('is flat over 1,000 rounds of create, train, serve, dispose', async () => {
    const backend = await createWasmBackend();
    const engine = new Engine(backend, { provider: undefined as never, findings: [] });
    const round = async () => {
      using training = await engine.train(nn.sequential(nn.linear(8, 32), nn.relu(), nn.linear(32, 3)), {
        loss: nn.crossEntropy,
        optimizer: optim.adam(),
      });
      for await (const _ of training.fit(set, { batchSize: 4 }));
      using infer = await engine.infer(await training.freeze());
      await infer(inputs);
    };
    await round();
    const heapOf = (b: unknown) => (b as { host: { heap: WasmHeap } }).host.heap;
    const size = heapOf(backend).memory.buffer.byteLength;
    for (let i = 0; i < 1000; i++) await round();
    expect(backend.allocatedBytes).toBe(0);
    expect(heapOf(backend).memory.buffer.byteLength).toBe(size);
  });

  it('views do not go stale when another program makes the memory grow', async () => {
    const engine = new Engine(await createWasmBackend(), { provider: undefined as never, findings: [] });
    const options = { loss: nn.mse, optimizer: optim.sgd(), input: [8] };
    const small = await engine.train(nn.linear(8, 2), options);
    const infer = await engine.infer(await small.freeze());
    const before = await infer(inputs);
    const large = await engine.train(nn.linear(8, 300_000), options);
    await large.freeze();
    expect(await infer(inputs)).toEqual(before);
  });

  it('more than 4 GiB is refused with the figures', async () => {
    const engine = new Engine(await createWasmBackend(), { provider: undefined as never, findings: [] });
    const huge = await engine.train(nn.linear(8, 120_000_000), {
      loss: nn.mse,
      optimizer: optim.sgd(),
      input: [8],
    });
    await expect(huge.stepOn(new Float32Array(8), new Float32Array(120_000_000), 1)).rejects.toMatchObject({
      code: 'out_of_memory',
      message: expect.stringMatching(/train needs .* MiB; .*can't pass 4096.0 MiB/),
    });
  });
});
