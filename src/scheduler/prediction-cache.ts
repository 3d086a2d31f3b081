/** What a cache keeps beside an entry's values: the objects and the map's slot, roughly. */
const ENTRY_BYTES = 200;

interface Entry {
  readonly input: Float32Array;
  readonly output: Float32Array;
  readonly bytes: number;
}

/** A number made from the values' bits: the same for the same bits, almost always another for others. */
export function contentKey(values: Float32Array): number {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  // Two multiplicative hashes side by side (the constants are odd numbers of well-mixed bits), 53 bits in all.
  let a = 0x9e3779b9 ^ values.length;
  let b = 0x85ebca6b;
  for (let i = 0; i < words.length; i++) {
    a = Math.imul(a ^ words[i], 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b + words[i], 0xc2b2ae35);
    b ^= b >>> 13;
  }
  return (a >>> 0) * 2 ** 21 + ((b >>> 0) >>> 11);
}

/** Whether two arrays hold the same bits; -0 is not 0 here, and NaN is itself. */
export function sameBits(x: Float32Array, y: Float32Array): boolean {
  if (x.length !== y.length) return false;
  const [a, b] = [x, y].map((v) => new Uint32Array(v.buffer, v.byteOffset, v.length));
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Outputs by the content of their inputs, least recently used out first, bounded in bytes. The inputs are kept and
 * compared, so two that share a key can cost a hit but never give a wrong answer.
 */
export class PredictionCache {
  readonly maxBytes: number;
  private readonly entries = new Map<number, Entry>();
  private held = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Bytes held, keys and bookkeeping included. */
  get bytes(): number {
    return this.held;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: number, input: Float32Array): Float32Array | undefined {
    const entry = this.entries.get(key);
    if (!entry || !sameBits(entry.input, input)) return undefined;
    // A Map keeps the order of insertion: what is used goes to its end.
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.output;
  }

  /** Keeps both arrays themselves: nobody may write them afterwards. */
  set(key: number, input: Float32Array, output: Float32Array): void {
    this.remove(key);
    const bytes = input.byteLength + output.byteLength + ENTRY_BYTES;
    if (bytes > this.maxBytes) return;
    for (const oldest of this.entries.keys()) {
      if (this.held + bytes <= this.maxBytes) break;
      this.remove(oldest);
    }
    this.entries.set(key, { input, output, bytes });
    this.held += bytes;
  }

  clear(): void {
    this.entries.clear();
    this.held = 0;
  }

  private remove(key: number): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.entries.delete(key);
    this.held -= entry.bytes;
  }
}
