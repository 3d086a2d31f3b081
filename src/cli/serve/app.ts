import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import type { nn, Predictor } from '../../node.ts';
import { requireKey } from './keys.ts';
import { metricsOf } from './metrics.ts';
import { answerTo, Cancelled, Refusal } from './refusal.ts';
import { limitBody, samplesOf } from './samples.ts';
import { answer, answerType } from './types.ts';

/** A predictor of a model whatever it takes and gives. */
type AnyPredictor = Predictor<nn.Values, nn.Values>;

/** What an app is told beside its predictor. */
export interface AppOptions {
  /** Samples in one request, at most: the predictor's own. */
  readonly maxBatch: number;
  /** Bytes of one body, at most; what a full batch takes as JSON with room to spare, from 32 to 512 MiB, if not given. */
  readonly maxBody?: number;
  /** Keys of which a request needs one, but for /health; none if not given. */
  readonly keys?: readonly string[];
  /** Origins whose pages may ask, '*' for all; none if not given. */
  readonly cors?: readonly string[];
  /** Aborted when the server is about to end: no request waits for others to go with from then on. */
  readonly stopping?: AbortSignal;
}

/** Characters that a number in JSON may take, with white space around it. */
const GENEROUS = 64;
const MIB = 2 ** 20;

/** What each path answers to. */
const METHODS: Readonly<Record<string, string>> = {
  '/predict': 'POST, OPTIONS',
  '/health': 'GET, HEAD, OPTIONS',
  '/metrics': 'GET, HEAD, OPTIONS',
};

/**
 * POST /predict, with {"inputs": [[...], ...]}, {"inputs": {"ids": [[...], ...], ...}} for inputs with names, or as application/octet-stream (f32, little-endian); GET /health; GET
 * /metrics. Errors are {"error", "code"}.
 */
export function createApp(predictor: AnyPredictor, options: AppOptions): Hono {
  const { maxBatch, keys, stopping } = options;
  const app = new Hono();
  const { registry, seconds } = metricsOf(predictor);
  const { inputs, outputs } = predictor;
  const size = Object.values(inputs).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const maxBody = options.maxBody ?? Math.min(512 * MIB, Math.max(32 * MIB, maxBatch * size * GENEROUS));

  app.use(async (c, next) => {
    const end = seconds.startTimer();
    await next();
    const left = c.error instanceof Cancelled || c.req.raw.signal.aborted;
    end({ route: c.req.path in METHODS ? c.req.path : 'other', status: left ? 'cancelled' : c.res.status });
  });
  if (options.cors?.length)
    app.use(
      cors({
        origin: options.cors.includes('*') ? '*' : [...options.cors],
        allowMethods: ['GET', 'HEAD', 'POST'],
        allowHeaders: ['content-type', 'authorization', 'x-api-key'],
        maxAge: 600,
      }),
    );
  app.options('/', (c) => c.body(null, 204, { allow: 'GET, HEAD, POST, OPTIONS' }));
  for (const [path, methods] of Object.entries(METHODS))
    app.options(path, (c) => c.body(null, 204, { allow: methods }));

  app.get('/health', (c) => {
    const { inputShape, outputShape } = predictor;
    return c.json({
      status: 'ok',
      inputShape,
      outputShape,
      inputs,
      outputs,
      queued: predictor.stats().queued,
    });
  });
  if (keys) for (const path of ['/predict', '/metrics']) app.use(path, requireKey(keys));
  app.post('/predict', limitBody(maxBody), async (c) => {
    const type = answerType(c);
    const samples = await samplesOf(c, { inputs, maxBatch });
    const { signal } = c.req.raw;
    const asked = predictor.predict(samples, signal).catch((error) => {
      throw signal.aborted ? new Cancelled('the caller left', { cause: error }) : error;
    });
    if (stopping?.aborted) predictor.flush();
    return answer(c, type, await asked, outputs);
  });
  app.get('/metrics', async (c) =>
    c.text(await registry.metrics(), 200, { 'content-type': registry.contentType }),
  );
  stopping?.addEventListener('abort', () => predictor.flush(), { once: true });

  for (const [path, methods] of Object.entries(METHODS))
    app.all(path, (c) => {
      throw new Refusal(405, 'method_not_allowed', `${path} takes ${methods}, not ${c.req.method}`, {
        allow: methods,
      });
    });
  app.notFound((c) => answerTo(new Refusal(404, 'not_found', `nothing is at ${c.req.path}`), c));
  app.onError((error, c) => (error instanceof Cancelled ? nobody(c) : answerTo(error, c)));
  return app;
}

/** The caller is gone; a status that only the server's own code ever sees. */
const nobody = (c: Context) => c.body(null, 400);
