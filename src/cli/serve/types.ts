import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import { jsonNumbers } from '../numbers.ts';
import { Refusal } from './refusal.ts';

export const JSON_TYPE = 'application/json';
export const BINARY = 'application/octet-stream';
const SUPPORTED = [JSON_TYPE, BINARY];

/** The type that a caller wants an answer in: JSON where any will do. Throws 406 where it wants others only. */
export function answerType(c: Context): string {
  const header = 'Accept';
  const supports = SUPPORTED;
  const named = accepts(c, { header, supports, default: '' });
  const type = named || accepts(c, { header, supports, default: JSON_TYPE, match: anyType });
  if (type) return type;
  throw new Refusal(
    406,
    'not_acceptable',
    `accept is ${c.req.header('accept')}; answers are ${SUPPORTED.join(' or ')}`,
  );
}

/** What any type comes to: the first type that is not refused. */
function anyType(list: readonly { readonly type: string; readonly q: number }[]): string {
  const refused = list.filter(({ q }) => q === 0).map(({ type }) => type.toLowerCase());
  const any = list.some(({ type, q }) => (type === '*/*' || type === '*') && q > 0);
  return (any && SUPPORTED.find((t) => !refused.includes(t))) || '';
}

/** Outputs as an answer: rows of numbers in JSON, or f32 values as they are. */
export function answer(c: Context, type: string, values: Float32Array, outputSize: number) {
  c.header('vary', 'accept', { append: true });
  if (type === BINARY)
    return c.body(new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength), 200, {
      'content-type': BINARY,
    });
  const outputs = Array.from({ length: values.length / outputSize }, (_, i) =>
    jsonNumbers(values.subarray(i * outputSize, (i + 1) * outputSize)),
  );
  return c.json({ outputs });
}
