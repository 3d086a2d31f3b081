import { sameBitsEach } from '../../core/content.ts';
import type { Arrays } from '../../model/signature.ts';

/** What a cache keeps beside an entry's values: the objects and the map's slot, roughly. */
const ENTRY_BYTES = 200;

interface Entry {
  readonly input: Arrays;
  readonly output: Arrays;
  readonly bytes: number;
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

  get(key: number, input: Arrays): Arrays | undefined {
    const entry = this.entries.get(key);
    if (!entry || !sameBitsEach(Object.values(entry.input), Object.values(input))) return undefined;
    // A Map keeps the order of insertion: what is used goes to its end.
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.output;
  }

  /** Keeps the arrays themselves: nobody may write them afterwards. */
  set(key: number, input: Arrays, output: Arrays): void {
    this.remove(key);
    const bytes = bytesOf(input) + bytesOf(output) + ENTRY_BYTES;
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

const bytesOf = (arrays: Arrays): number =>
  Object.values(arrays).reduce((sum, { byteLength }) => sum + byteLength, 0);
