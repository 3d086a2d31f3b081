import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { BiphaseError, type ErrorCode, type Predictor } from '../../node.ts';
import { metricsOf } from './metrics.ts';

/** HTTP statuses of the errors that are not the server's fault, or not for long. */
const statusOf: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  invalid_argument: 400,
  invalid_data: 400,
  shape_mismatch: 400,
  dtype_mismatch: 400,
  out_of_range: 400,
  overloaded: 503,
  disposed: 503,
};

/** Characters of a number in JSON, at most, as clients write them. */
const DIGITS = 26;

/**
 * POST /predict, with {"inputs": [[...], ...]} or as application/octet-stream (f32, little-endian); GET /health; GET
 * /metrics. Bodies larger than maxBatch samples can be are refused before they are read.
 */
export function createApp(predictor: Predictor, maxBatch: number): Hono {
  const app = new Hono();
  const { registry, seconds } = metricsOf(predictor);
  const sampleSize = predictor.inputShape.reduce((a, b) => a * b, 1);
  const outputSize = predictor.outputShape.reduce((a, b) => a * b, 1);

  app.use(async (c, next) => {
    const end = seconds.startTimer();
    await next();
    end({ route: known(c.req.path), status: c.res.status });
  });
  app.use('/predict', bodyLimit({ maxSize: maxBatch * sampleSize * DIGITS, onError: tooLarge }));

  app.post('/predict', async (c) => {
    const samples = await samplesOf(c, sampleSize);
    const values = await predictor.predict(samples, c.req.raw.signal);
    if (accepts(c, BINARY)) return c.body(values.buffer as ArrayBuffer, 200, { 'content-type': BINARY });
    const outputs: number[][] = [];
    for (let at = 0; at < values.length; at += outputSize)
      outputs.push([...values.subarray(at, at + outputSize)]);
    return c.json({ outputs });
  });
  app.get('/health', (c) => {
    const { inputShape, outputShape } = predictor;
    return c.json({ status: 'ok', inputShape, outputShape, queued: predictor.stats().queued });
  });
  app.get('/metrics', async (c) =>
    c.text(await registry.metrics(), 200, { 'content-type': registry.contentType }),
  );

  app.notFound((c) => c.json({ error: `no ${c.req.method} ${c.req.path} here` }, 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
    const code = error instanceof BiphaseError ? error.code : 'internal';
    const status = statusOf[code] ?? 500;
    if (status === 503) c.header('retry-after', '1');
    // What broke inside is for the log, not for strangers.
    if (status === 500) console.error(error);
    return c.json({ error: status === 500 ? 'internal error' : error.message, code }, status);
  });
  return app;
}

const BINARY = 'application/octet-stream';
const accepts = (c: Context, type: string) => c.req.header('accept') === type;
const known = (path: string) => (['/predict', '/health', '/metrics'].includes(path) ? path : 'other');

const tooLarge = (c: Context) => c.json({ error: 'the body is larger than a full batch can be' }, 413);
const malformed = (message: string) => new HTTPException(400, { message });

/** The samples of a request, one after the other. Throws 400 or 415 with what is wrong with them. */
async function samplesOf(c: Context, size: number): Promise<Float32Array> {
  const type = c.req.header('content-type')?.split(';')[0].trim();
  if (type === BINARY) {
    const bytes = await c.req.arrayBuffer();
    if (bytes.byteLength % 4) throw malformed(`${bytes.byteLength} bytes are not whole f32 values`);
    return new Float32Array(bytes);
  }
  if (type !== 'application/json')
    throw new HTTPException(415, {
      message: `content-type is ${type}; expected application/json or ${BINARY}`,
    });
  const body: unknown = await c.req.json().catch(() => {
    throw malformed('the body is not JSON');
  });
  const rows = (body as { inputs?: unknown } | null)?.inputs;
  if (!Array.isArray(rows) || rows.length === 0)
    throw malformed('expected {"inputs": [[...], ...]}, at least one');
  const samples = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    if (!Array.isArray(row) || row.length !== size)
      throw malformed(`inputs[${i}] is not a list of ${size} numbers`);
    const bad = row.findIndex((x) => typeof x !== 'number' || !Number.isFinite(Math.fround(x)));
    if (bad >= 0)
      throw malformed(`inputs[${i}][${bad}] is ${JSON.stringify(row[bad])}, expected a finite f32 number`);
    samples.set(row, i * size);
  });
  return samples;
}
