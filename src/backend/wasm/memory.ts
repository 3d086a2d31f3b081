import { fail } from '../../core/errors.ts';
import { alignUp } from '../../graph/memory.ts';
import { ALIGNMENT } from '../../graph/plan.ts';
import { maximumOf, PAGE } from './claim.ts';
import { offerSpare, writtenBytes } from './spare.ts';

interface Block {
  address: number;
  bytes: number;
}

/** The module keeps its constants and spare places here (its export `reservedBytes` says so); no tensor has address 0, which kernels read as "none". */
export const RESERVED = 9216;

/**
 * Hands out parts of one WebAssembly memory: first fit, neighbours joined when freed. The memory grows only here,
 * and never shrinks (WebAssembly can't), but what was freed is used again.
 */
export class WasmHeap {
  readonly memory: WebAssembly.Memory;
  /** Bytes now handed out. */
  allocatedBytes = 0;
  /** Set when the engine is disposed: programs refuse to run from then on. */
  closed = false;
  private free: Block[];
  /** Memory is written up to here at most; after it all is zero, and not even touched. */
  private written: number;
  private readonly mostPages: number;

  constructor(memory: WebAssembly.Memory, mostPages = maximumOf(memory)) {
    this.memory = memory;
    this.mostPages = mostPages;
    this.written = writtenBytes(memory);
    this.free = [{ address: RESERVED, bytes: memory.buffer.byteLength - RESERVED }];
  }

  /** A block at a multiple of ALIGNMENT, zeroed unless told not to. Throws 'out_of_memory' with the figures. */
  allocate(bytes: number, what: string, zeroed = true): number {
    const size = Math.max(alignUp(bytes, ALIGNMENT), ALIGNMENT);
    let at = this.free.findIndex((b) => b.bytes >= size);
    if (at < 0) {
      this.grow(size, what);
      at = this.free.length - 1;
    }
    const block = this.free[at];
    const { address } = block;
    if (block.bytes === size) this.free.splice(at, 1);
    else {
      block.address += size;
      block.bytes -= size;
    }
    this.allocatedBytes += size;
    const dirty = Math.min(size, this.written - address);
    if (zeroed && dirty > 0) new Uint8Array(this.memory.buffer, address, dirty).fill(0);
    this.written = Math.max(this.written, address + size);
    return address;
  }

  /** Leaves the memory to engines to come; nobody may touch it through this heap any more. */
  leave(): void {
    if (typeof SharedArrayBuffer !== 'undefined' && this.memory.buffer instanceof SharedArrayBuffer)
      offerSpare(this.memory, this.written);
  }

  /** Gives a block back; `bytes` as it was asked for. */
  release(address: number, bytes: number): void {
    const size = Math.max(alignUp(bytes, ALIGNMENT), ALIGNMENT);
    this.allocatedBytes -= size;
    this.insert({ address, bytes: size });
  }

  private insert(block: Block): void {
    const at = this.free.findIndex((b) => b.address > block.address);
    const place = at < 0 ? this.free.length : at;
    this.free.splice(place, 0, block);
    this.joinWithNext(place);
    this.joinWithNext(place - 1);
  }

  private joinWithNext(i: number): void {
    const [block, next] = [this.free[i], this.free[i + 1]];
    if (!block || !next || block.address + block.bytes !== next.address) return;
    block.bytes += next.bytes;
    this.free.splice(i + 1, 1);
  }

  /** Makes room for `size` bytes at the end. */
  private grow(size: number, what: string): void {
    const end = this.memory.buffer.byteLength;
    const last = this.free.at(-1);
    const atEnd = last && last.address + last.bytes === end ? last.bytes : 0;
    const pages = Math.ceil((size - atEnd) / PAGE);
    const mib = (n: number) => `${(n / 2 ** 20).toFixed(1)} MiB`;
    const refuse = (why: string) =>
      fail(
        'out_of_memory',
        `${what} needs ${mib(size)}; this engine's WebAssembly memory holds ${mib(end)} ` +
          `(${mib(this.allocatedBytes)} in use) and ${why}. Use a smaller batch or model, or dispose of programs no longer needed`,
      );
    if (end / PAGE + pages > this.mostPages) refuse(`can't pass ${mib(this.mostPages * PAGE)}`);
    try {
      this.memory.grow(pages);
    } catch {
      refuse('the system gave no more');
    }
    this.insert({ address: end, bytes: pages * PAGE });
  }
}
