import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { Cancelled, malformed, Refusal, tooLarge } from './refusal.ts';
import { BINARY, JSON_TYPE } from './types.ts';

/** What a request may hold. */
export interface SampleLimits {
  /** Values of one sample. */
  readonly size: number;
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

/** The samples of a request, one after the other. Throws 400, 413 or 415 with what is wrong with them. */
export async function samplesOf(c: Context, limits: SampleLimits): Promise<Float32Array> {
  const type = bodyType(c);
  const bytes = await c.req.arrayBuffer().catch((cause) => {
    throw new Cancelled('the body broke off', { cause });
  });
  return type === BINARY ? fromBytes(bytes, limits) : fromJson(bytes, limits);
}

function fromBytes(bytes: ArrayBuffer, { size, maxBatch }: SampleLimits): Float32Array {
  if (bytes.byteLength % 4) throw malformed(`${bytes.byteLength} bytes are not whole f32 values`);
  const samples = new Float32Array(bytes);
  checkCount(samples.length / size, maxBatch);
  return samples;
}

function fromJson(bytes: ArrayBuffer, { size, maxBatch }: SampleLimits): Float32Array {
  const rows = (parse(bytes) as { inputs?: unknown } | null)?.inputs;
  if (!Array.isArray(rows) || rows.length === 0)
    throw malformed('expected {"inputs": [[...], ...]}, at least one');
  checkCount(rows.length, maxBatch);
  const samples = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    if (!Array.isArray(row) || row.length !== size)
      throw malformed(
        `inputs[${i}] is not a list of ${size} numbers${Array.isArray(row) ? ` but of ${row.length}` : ''}`,
      );
    const bad = row.findIndex((x) => typeof x !== 'number' || !Number.isFinite(Math.fround(x)));
    if (bad >= 0)
      throw malformed(`inputs[${i}][${bad}] is ${JSON.stringify(row[bad])}, expected a finite f32 number`);
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
