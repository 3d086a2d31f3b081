import { numberIn } from './cells.ts';
import { bad } from './source.ts';

/** Most bytes of a CSV file: V8 has no longer texts. */
const MOST = 2 ** 29 - 32;

/** A file's text, and its delimiter where Excel's first line names it. UTF-8, UTF-16 with its mark, or Windows-1252. */
export function decode(path: string, bytes: Uint8Array): { text: string; delimiter: string } {
  if (bytes.length > MOST)
    bad(
      `${path} has ${(bytes.length / 1e6).toFixed(0)} MB; at most ${(MOST / 1e6).toFixed(0)} MB of CSV are read. ` +
        'Save the numbers as NPY (numpy.save, in float32), or train on a part',
    );
  const text = textOf(path, bytes);
  const named = /^"?sep=([^\r\n])"?\r?\n/.exec(text);
  if (named) return { text: text.slice(named[0].length), delimiter: named[1] };
  return inSpaces(text)
    ? { text: text.replace(/^[ \t]+|[ \t]+(?=\r?$)/gm, '').replace(/[ \t]+/g, ' '), delimiter: ' ' }
    : { text, delimiter: '' };
}

/** Whether spaces part the cells, any number of them, as numpy.savetxt writes them: no other delimiter, rows of one width. */
function inSpaces(text: string): boolean {
  const lines = text
    .slice(0, 2 ** 16)
    .split(/\r?\n/, 10)
    .filter((l) => l.trim());
  const rows = lines.slice(0, Math.max(1, lines.length - 1)).map((l) => l.trim().split(/\s+/));
  return (
    rows.length > 0 &&
    !lines.some((l) => /[,;\t|"]/.test(l)) &&
    rows.every((r) => r.length > 1 && r.length === rows[0].length) &&
    rows[rows.length - 1].every((cell) => numberIn(cell) !== undefined)
  );
}

function textOf(path: string, bytes: Uint8Array): string {
  const utf16 =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff && 'utf-16be';
  if (utf16) return new TextDecoder(utf16).decode(bytes);
  // Tables hold no control characters; what does is no text.
  const binary = bytes.subarray(0, 2 ** 20).some((b) => b < 9 || (b > 13 && b < 32));
  if (binary) bad(`${path} is neither IDX, NPY nor text (CSV)`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
