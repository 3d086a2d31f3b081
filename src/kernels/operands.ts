import type { WasmHeap } from '../backend/wasm/memory.ts';
import { dtypeOf, type TypedArray, viewOf } from '../core/dtype.ts';

/** Addresses of a call's arrays: their own where they lie in the kernels' memory, else that of a copy. */
export interface Use {
  in(array: TypedArray): number;
  /** An array that the call writes: copied in first, so that gaps between rows keep their values, and out afterwards. */
  out(array: TypedArray): number;
}

interface Copy {
  readonly array: TypedArray;
  readonly address: number;
  written: boolean;
}

/** Makes arrays reachable for the length of one call. */
export class Operands {
  private readonly heap: WasmHeap;

  constructor(heap: WasmHeap) {
    this.heap = heap;
  }

  use<T>(call: (use: Use) => T): T {
    const copies: Copy[] = [];
    const place = (array: TypedArray, written: boolean): number => {
      if (array.buffer === this.heap.memory.buffer) return array.byteOffset;
      const known = copies.find((c) => c.array === array);
      if (known) {
        known.written ||= written;
        return known.address;
      }
      const address = this.heap.allocate(array.byteLength, 'a copy of an array', false);
      this.view(array, address).set(array);
      copies.push({ array, address, written });
      return address;
    };
    try {
      const result = call({ in: (array) => place(array, false), out: (array) => place(array, true) });
      for (const { array, address, written } of copies) if (written) array.set(this.view(array, address));
      return result;
    } finally {
      for (const { array, address } of copies) this.heap.release(address, array.byteLength);
    }
  }

  private view(array: TypedArray, address: number): TypedArray {
    return viewOf(dtypeOf(array)!, this.heap.memory.buffer, address, array.length);
  }
}
