/** Bins are as wide as 2^-10 of the values in them; a page holds those of one power of two, of one sign. */
const MANTISSA_BITS = 10;
const DROPPED_BITS = 23 - MANTISSA_BITS;
const PAGE = 2 ** MANTISSA_BITS;

const word = new Int32Array(1);
const float = new Float32Array(word.buffer);

/** The value whose bits, without the dropped ones, are `magnitude`; the end of the f32 range for what is beyond. */
function valueAt(magnitude: number): number {
  word[0] = Math.min(magnitude, 0x7f800000 >> DROPPED_BITS) << DROPPED_BITS;
  return float[0];
}

/**
 * How often which f32 values were seen, in bins by their sign, exponent and leading bits of the mantissa: as fine for small
 * values as for large ones, so that no outlier, however far out, costs the others resolution. One pass, and at most 4 MB: 8 KB
 * for each power of two that occurs.
 */
export class Histogram {
  count = 0;
  private readonly pages = new Map<number, Float64Array>();

  add(values: Float32Array): void {
    const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
    let known = Number.NaN;
    let page: Float64Array = new Float64Array(0);
    for (let i = 0; i < bits.length; i++) {
      const magnitude = (bits[i] & 0x7fffffff) >> DROPPED_BITS;
      // In the order of the values: -1 is the bin of -0 and what is next to it.
      const key = bits[i] < 0 ? -1 - magnitude : magnitude;
      const number = key >> MANTISSA_BITS;
      if (number !== known) {
        known = number;
        page = this.page(number);
      }
      page[key & (PAGE - 1)]++;
    }
    this.count += bits.length;
  }

  /** The lower edge of the first bin, from the smallest, at which more than `drop` values have been passed. */
  low(drop: number): number {
    const key = this.edge(drop, 1);
    return key < 0 ? -valueAt(-key) : valueAt(key);
  }

  /** The upper edge of the first bin, from the largest, at which more than `drop` values have been passed. */
  high(drop: number): number {
    const key = this.edge(drop, -1);
    return key < 0 ? -valueAt(-1 - key) : valueAt(key + 1);
  }

  private edge(drop: number, direction: 1 | -1): number {
    const pages = [...this.pages].sort(([a], [b]) => direction * (a - b));
    let [passed, last] = [0, 0];
    for (const [number, bins] of pages)
      for (let i = 0; i < PAGE; i++) {
        const at = direction === 1 ? i : PAGE - 1 - i;
        if (bins[at] === 0) continue;
        passed += bins[at];
        last = number * PAGE + at;
        if (passed > drop) return last;
      }
    return last;
  }

  private page(number: number): Float64Array {
    const known = this.pages.get(number) ?? new Float64Array(PAGE);
    this.pages.set(number, known);
    return known;
  }
}
