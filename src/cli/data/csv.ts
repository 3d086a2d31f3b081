import Papa from 'papaparse';
import { Cells, hasDecimalComma, isMissing, numberIn } from './cells.ts';
import { decode } from './decode.ts';
import { bad, type Header, type Source } from './source.ts';

/** Characters of the beginning of a file that tell its delimiter. */
const HEAD = 2 ** 20;
const DELIMITERS = [',', ';', '\t', '|'];

/**
 * A table as RFC 4180 has it; its delimiter is found outside quotes. Lines without anything in them are left out. A first
 * row is a header where it can be one and is not just another row, or as `header` says.
 */
export function parseCsv(path: string, bytes: Uint8Array, header: Header): Source {
  const { text, delimiter: named } = decode(path, bytes);
  const delimiter = named || delimiterOf(text.slice(0, HEAD));
  let first: readonly string[] | undefined;
  let firstLine = 1;
  let cells: Cells | undefined;
  let line = 0;
  const row = (fields: readonly string[]) => {
    line++;
    if (fields.length === 1 && fields[0].trim() === '') return;
    if (!first) [first, firstLine] = [fields, line];
    else {
      cells ??= new Cells(path, ownRowOf(first, fields) ? fields.length : first.length, delimiter);
      cells.add(fields, line);
    }
  };
  // Row by row, so that not all cells of a large file are texts at once.
  Papa.parse<string[]>(text, {
    delimiter,
    step: ({ data, errors }) => {
      const broken = errors.find((e) => e.type === 'Quotes');
      if (broken) bad(`${path}, row ${line + 1}: ${broken.message}`);
      row(data);
    },
  });
  if (!first) return bad(`${path} holds no samples`);
  return tableOf(path, { fields: first, line: firstLine }, cells, header);
}

const HEAD_ROWS = { preview: 10, skipEmptyLines: 'greedy' } as const;

const delimiterOf = (head: string): string => {
  const guess = Papa.parse(head, { ...HEAD_ROWS, delimitersToGuess: DELIMITERS }).meta.delimiter;
  return guess === ',' && commasPartDigits(head) ? ';' : guess;
};

/** Whether semicolons part the cells of all rows, and commas nothing but digits: "1,5;2,5". */
function commasPartDigits(head: string): boolean {
  const rows = Papa.parse<string[]>(head, { ...HEAD_ROWS, delimiter: ';' }).data;
  const width = rows[0]?.length ?? 0;
  return (
    width > 1 &&
    rows.every((r) => r.length === width && r.every((c) => !c.includes(',') || hasDecimalComma(c)))
  );
}

interface FirstRow {
  readonly fields: readonly string[];
  readonly line: number;
}

function tableOf(path: string, first: FirstRow, body: Cells | undefined, header: Header): Source {
  const own = body && header === 'auto' && ownRowOf(first.fields, body);
  if (own) return { ...body.table(), path, classes: own, remarks: ["its first row is scikit-learn's"] };
  const numbered = header === 'auto' && numbersColumns(first.fields);
  const names = header === 'yes' || numbered || (header === 'auto' && isHeader(first.fields, body));
  const cells = body ?? new Cells(path, first.fields.length, ',');
  if (!names) cells.putFirst(first.fields, first.line);
  if (cells.rows === 0) bad(`${path} holds no samples: its one row names columns`);
  const table = cells.table();
  if (!names) return { ...table, path };
  if (first.fields.length !== cells.width)
    bad(`${path} has ${first.fields.length} names in its first row and ${cells.width} fields in the next`);
  const columns = first.fields.map((name) => name.trim());
  const remarks = numbered ? ['its first row numbers the columns'] : [];
  return { ...table, path, columns, remarks: [...table.remarks, ...remarks] };
}

/** The header of a table of pandas whose columns have no names: 0, 1, 2, .. and before them nothing, or no cell at all. */
function numbersColumns(first: readonly string[]): boolean {
  const index = first[0].trim() === '' && first.length > 1;
  const numbers = index ? first.slice(1) : first;
  return (index || numbers.length > 2) && numbers.every((cell, i) => cell.trim() === `${i}`);
}

/**
 * The names of the classes in the first row of scikit-learn's own data sets, "150,4,setosa,versicolor,virginica": the numbers
 * of rows and of inputs, and names for the numbers in the last column.
 */
function ownRowOf(first: readonly string[], next: readonly string[] | Cells): string[] | undefined {
  const [rows, inputs, ...names] = first;
  const width = next instanceof Cells ? next.width : next.length;
  const isOwn =
    Number(inputs) === width - 1 && names.length > 1 && names.every((n) => numberIn(n) === undefined);
  if (!isOwn || (next instanceof Cells && next.rows !== Number(rows))) return undefined;
  return names;
}

/** Names are no numbers, and not the spelling of one that is missing; pandas leaves the name of its index empty. */
function isHeader(first: readonly string[], body: Cells | undefined): boolean {
  const isName = (cell: string, i: number) =>
    numberIn(cell) === undefined &&
    !hasDecimalComma(cell) &&
    (!isMissing(cell) || (i === 0 && cell === '' && first.length > 1));
  if (!first.every(isName)) return false;
  // In a file of texts alone the first row may be like all others: 'setosa' above more of them.
  return !body || first.some((cell, i) => !body.hasText(i, cell));
}
