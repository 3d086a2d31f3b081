import { bad } from './source.ts';

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const DECIMAL_COMMA = /^[+-]?\d*,\d+(?:e[+-]?\d+)?$/i;
const MISSING = /^(?:|nan|[+-]?inf|[+-]?infinity|null|na|n\/a|#n\/a)$/i;

/** The number that a cell spells, and nothing else; infinite where it is too large for f64. */
export const numberIn = (cell: string): number | undefined => {
  const trimmed = cell.trim();
  return NUMBER.test(trimmed) ? Number(trimmed) : undefined;
};

/** Whether a cell says that a value is missing, or no number: nothing, NaN, an infinity. */
export const isMissing = (cell: string): boolean => MISSING.test(cell.trim());

/** Whether a cell spells a number whose digits a comma parts, as Excel writes them in half of Europe. */
export const hasDecimalComma = (cell: string): boolean => DECIMAL_COMMA.test(cell.trim());

/** The cells of a table below its first row: numbers in one array, texts by position. Rows are added one by one. */
export class Cells {
  readonly width: number;
  rows = 0;
  private readonly path: string;
  /** Where commas do not part cells they may part a number's digits. */
  private readonly commas: boolean;
  private values = new Float64Array(1024);
  private texts = new Map<number, string>();
  private readonly known = new Map<string, string>();
  private lines: number[] = [];
  private decimals = { comma: '', point: '' };

  constructor(path: string, width: number, delimiter: string) {
    this.path = path;
    this.width = width;
    this.commas = delimiter !== ',';
  }

  /** Adds a row of a line (from 1). Throws 'invalid_data' for one of another width. */
  add(fields: readonly string[], line: number): void {
    if (fields.length !== this.width)
      bad(`${this.path}, row ${line}: it has ${fields.length} fields, the first row has ${this.width}`);
    const at = this.rows * this.width;
    if (at + this.width > this.values.length) {
      const larger = new Float64Array(Math.max(2 * this.values.length, at + this.width));
      larger.set(this.values);
      this.values = larger;
    }
    fields.forEach((cell, i) => {
      this.put(at + i, cell.trim());
    });
    this.lines.push(line);
    this.rows++;
  }

  /** Puts a row before all others. */
  putFirst(fields: readonly string[], line: number): void {
    const { values, texts, lines, rows, width } = this;
    [this.values, this.texts, this.lines, this.rows] = [
      new Float64Array((rows + 1) * width),
      new Map(),
      [],
      0,
    ];
    this.add(fields, line);
    this.values.set(values.subarray(0, rows * width), width);
    for (const [at, text] of texts) this.texts.set(at + width, text);
    this.lines = this.lines.concat(lines);
    this.rows += rows;
  }

  /** Whether a column has this text in one of its rows. */
  hasText(column: number, text: string): boolean {
    for (const [at, other] of this.texts)
      if (at % this.width === column && other === text.trim()) return true;
    return false;
  }

  table() {
    const { path, rows, width, texts, lines } = this;
    const { comma, point } = this.decimals;
    if (comma && point)
      bad(
        `${path} has '${comma}' and '${point}': it is not clear whether a comma or a point parts the digits`,
      );
    return {
      ...{ path, shape: [rows, width], values: this.values.subarray(0, rows * width), texts, lines },
      type: 'number' as const,
      remarks: comma ? [`commas part the digits of its numbers, as in ${comma}`] : [],
    };
  }

  private put(at: number, cell: string): void {
    const isComma = this.commas && hasDecimalComma(cell);
    const number = numberIn(isComma ? cell.replace(',', '.') : cell);
    if (isComma) this.decimals.comma = cell;
    else if (number !== undefined && cell.includes('.')) this.decimals.point = cell;
    this.values[at] = number ?? Number.NaN;
    if (number !== undefined) return;
    // The same text is kept once.
    const text = this.known.get(cell) ?? cell;
    this.known.set(cell, text);
    this.texts.set(at, text);
  }
}
