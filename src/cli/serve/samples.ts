import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Signature, TypedArray } from '../../node.ts';
import { Cancelled, malformed, Refusal, tooLarge } from './refusal.ts';
import { BINARY, JSON_TYPE } from './types.ts';

type Arrays = Readonly<Record<string, TypedArray>>;

/** What a request may hold. */
export interface SampleLimits {
  /** Types of one sample's inputs; `{ input }` where it has no name. */
  readonly inputs: Signature;
  /** Samples in one request. */
  readonly maxBatch: number;
}

/** Refuses what is too large before it is read, or, where its length is not announced, as soon as it is. */
export function limitBody(maxBytes: number) {
  const refuse = (): never => {
    throw tooLarge(`the body has more than ${maxBytes} bytes (--max-body)`);
  };
  const whileReading = bodyLimit({ maxSize: maxBytes, onError: refuse });
  return async (c: Context, next: () => Promise<void>) => {
    const length = c.req.header('content-length');
    if (length === undefined || c.req.header('transfer-encoding'))
      return whileReading(c, next).catch((error) => {
        throw error instanceof Refusal ? error : new Cancelled('the body broke off', { cause: error });
      });
    if (Number(length) > maxBytes)
      throw tooLarge(`the body has ${length} bytes, at most ${maxBytes} are taken (--max-body)`);
    return next();
  };
}

/** The type of a request's body. Throws 415 for what can't be read. */
export function bodyType(c: Context): typeof JSON_TYPE | typeof BINARY {
  const encoding = c.req.header('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity' && encoding !== '')
    throw new Refusal(
      415,
      'unsupported_media_type',
      `content-encoding is ${encoding}; send the body as it is`,
      { 'accept-encoding': 'identity' },
    );
  const [type, ...parameters] = (c.req.header('content-type') ?? '').toLowerCase().split(';');
  const refuse = (what: string): never => {
    throw new Refusal(415, 'unsupported_media_type', `${what}; expected ${JSON_TYPE} or ${BINARY}`, {
      accept: `${JSON_TYPE}, ${BINARY}`,
    });
  };
  const known = [JSON_TYPE, BINARY].find((t) => t === type.trim());
  if (!known) return refuse(type.trim() ? `content-type is ${type.trim()}` : 'there is no content-type');
  const charset = parameters
    .map((p) => p.split('='))
    .find(([name]) => name.trim() === 'charset')?.[1]
    ?.trim()
    .replace(/^"(.*)"$/, '$1');
  if (known === JSON_TYPE && charset && !['utf-8', 'utf8', 'us-ascii'].includes(charset))
    return refuse(`charset is ${charset}, and JSON is UTF-8`);
  return known as typeof JSON_TYPE | typeof BINARY;
}

/** The samples of a request, one after the other, by name where inputs have names. Throws 400, 413 or 415 with what is wrong with them. */
export async function samplesOf(c: Context, limits: SampleLimits): Promise<TypedArray | Arrays> {
  const type = bodyType(c);
  const { input, ...others } = limits.inputs;
  const isLone = input !== undefined && Object.keys(others).length === 0;
  if (type === BINARY && !(isLone && input.dtype === 'f32'))
    throw new Refusal(
      415,
      'unsupported_media_type',
      `this model takes ${Object.keys(limits.inputs).join(', ')}; send them as JSON`,
      { accept: JSON_TYPE },
    );
  const bytes = await c.req.arrayBuffer().catch((cause) => {
    throw new Cancelled('the body broke off', { cause });
  });
  if (type === BINARY) return fromBytes(bytes, input, limits.maxBatch);
  const rows = (parse(bytes) as { inputs?: unknown } | null)?.inputs;
  return isLone ? fromRows('inputs', rows, input, limits.maxBatch) : fromNames(rows, limits);
}

const sizeOf = ({ shape }: Signature[string]): number => shape.reduce((a, b) => a * b, 1);

function fromBytes(bytes: ArrayBuffer, input: Signature[string], maxBatch: number): Float32Array {
  if (bytes.byteLength % 4) throw malformed(`${bytes.byteLength} bytes are not whole f32 values`);
  const samples = new Float32Array(bytes);
  checkCount(samples.length / sizeOf(input), maxBatch);
  return samples;
}

function fromNames(given: unknown, { inputs, maxBatch }: SampleLimits): Arrays {
  const names = Object.keys(inputs);
  const expected = `{"inputs": {${names.map((name) => `${JSON.stringify(name)}: [[...], ...]`).join(', ')}}}`;
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw malformed(`expected ${expected}`);
  const odd = Object.keys(given).find((name) => !names.includes(name));
  if (odd !== undefined) throw malformed(`there is no input ${JSON.stringify(odd)}; expected ${expected}`);
  return Object.fromEntries(
    names.map((name) => [
      name,
      fromRows(`inputs.${name}`, (given as Record<string, unknown>)[name], inputs[name], maxBatch),
    ]),
  );
}

/** What a value of each type may be, in words, and the arrays that hold them. */
const kinds = {
  f32: { of: Float32Array, words: 'a finite f32 number', is: (x: number) => Number.isFinite(Math.fround(x)) },
  i32: { of: Int32Array, words: 'a whole number of 32 bits', is: (x: number) => x === (x | 0) },
  u8: { of: Uint8Array, words: 'a byte', is: (x: number) => x === (x & 255) },
  i8: { of: Int8Array, words: 'a whole number from -128 to 127', is: (x: number) => x === (x << 24) >> 24 },
} as const;

/** Rows of numbers, each a sample's values; of one value, the number itself will do. */
function fromRows(what: string, rows: unknown, type: Signature[string], maxBatch: number): TypedArray {
  if (!Array.isArray(rows) || rows.length === 0)
    throw malformed(
      what === 'inputs' ? 'expected {"inputs": [[...], ...]}, at least one' : `${what} is no list of rows`,
    );
  checkCount(rows.length, maxBatch);
  const size = sizeOf(type);
  const { of, words, is } = kinds[type.dtype];
  const samples = new of(rows.length * size);
  rows.forEach((given, i) => {
    const row = type.shape.length === 0 && typeof given === 'number' ? [given] : given;
    if (!Array.isArray(row) || row.length !== size)
      throw malformed(
        `${what}[${i}] is not a list of ${size} numbers${Array.isArray(row) ? ` but of ${row.length}` : ''}`,
      );
    const bad = row.findIndex((x) => typeof x !== 'number' || !is(x));
    if (bad >= 0) throw malformed(`${what}[${i}][${bad}] is ${JSON.stringify(row[bad])}, expected ${words}`);
    samples.set(row, i * size);
  });
  return samples;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parse(bytes: ArrayBuffer): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (error) {
    throw malformed(`the body is not JSON: ${(error as Error).message}`);
  }
}

function checkCount(count: number, maxBatch: number): void {
  if (count > maxBatch)
    throw tooLarge(`${Math.ceil(count)} samples in one request, at most ${maxBatch} are taken (--max-batch)`);
}
