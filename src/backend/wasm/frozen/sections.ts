import { fail } from '../../../core/errors.ts';

/** A section of a WebAssembly binary: `[start, end)` is what it holds, `from` where its id stands. */
export interface WasmSection {
  readonly id: number;
  readonly from: number;
  readonly start: number;
  readonly end: number;
}

export const CUSTOM = 0;
export const MEMORY = 5;
export const EXPORT = 7;
export const CODE = 10;
export const DATA = 11;

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** All sections, in order. Throws 'invalid_data' for what is no WebAssembly binary, or only a part of one. */
export function sectionsOf(bytes: Uint8Array, what: string): WasmSection[] {
  if (bytes.length < 8 || HEADER.slice(0, 4).some((b, i) => bytes[i] !== b))
    fail('invalid_data', `${what} is not a WebAssembly module: it does not begin with \\0asm`);
  if (HEADER.some((b, i) => bytes[i] !== b))
    fail('unsupported', `${what} is WebAssembly of version ${bytes[4]}; expected version 1`);
  const sections: WasmSection[] = [];
  for (let at = 8; at < bytes.length; ) {
    const from = at;
    const id = bytes[at++];
    const [size, start] = readLeb(bytes, at, what);
    const end = start + size;
    if (end > bytes.length)
      fail(
        'invalid_data',
        `${what} is cut off: a section ends at byte ${end}, the file at ${bytes.length}; fetch or copy it again`,
      );
    sections.push({ id, from, start, end });
    at = end;
  }
  return sections;
}

/** An unsigned number (LEB128, 32 bits), and where the next byte is. */
export function readLeb(bytes: Uint8Array, at: number, what: string): [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return [value, at + i + 1];
  }
  return fail('invalid_data', `${what} is cut off or damaged: there is no number at byte ${at}`);
}

/** An unsigned number as LEB128. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return [...bytes, rest];
}

/** A signed number of 32 bits as LEB128, as `i32.const` takes it. */
export function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    const byte = rest & 0x7f;
    if ((rest >> 7 === 0 && byte < 0x40) || (rest >> 7 === -1 && byte >= 0x40)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

/** Parts, joined, with the id and size that make them a section. */
export function section(id: number, ...parts: (Uint8Array | number[])[]): Uint8Array {
  const body = join(parts);
  return join([[id, ...leb(body.length)], body]);
}

export function join(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
