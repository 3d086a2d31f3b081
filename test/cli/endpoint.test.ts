import { serve } from '@hono/node-server';
import { afterAll, describe, expect, it } from 'vitest';
import { load } from '../../bench/programs/http-load.ts';
import { createApp } from '../../src/cli/serve/app.ts';
import { int8Model, samples, wasmEngine } from '../support/serving.ts';

const WIDTH = 784;
const engine = await wasmEngine();
const model = await int8Model([WIDTH, 64, 10]);
const predictor = await engine.predictor(model, { maxBatch: 8, maxQueue: 256 });
const alone = await engine.infer(model);
const app = createApp(predictor, { maxBatch: 8 });
afterAll(async () => {
  await predictor.close();
  engine.dispose();
});

const json = { 'content-type': 'application/json' };
const binary = { 'content-type': 'application/octet-stream' };
const post = (body: BodyInit, headers: Record<string, string> = json) =>
  app.request('/predict', { method: 'POST', body, headers });
const rows = (x: Float32Array) =>
  Array.from({ length: x.length / WIDTH }, (_, i) => [...x.subarray(i * WIDTH, (i + 1) * WIDTH)]);

describe('the HTTP endpoint', () => {
  it('answers JSON and bytes with the bits of the model', async () => {
    const x = samples(3, 1, WIDTH);
    const want = await alone(x);
    const answer = await post(JSON.stringify({ inputs: rows(x) }));
    expect(answer.status).toBe(200);
    const { outputs } = (await answer.json()) as { outputs: number[][] };
    expect(Float32Array.from(outputs.flat())).toEqual(want);
    const bytes = await post(x, { ...binary, accept: 'application/octet-stream' });
    expect(new Float32Array(await bytes.arrayBuffer())).toEqual(want);
  });

  const row = (x: unknown) => JSON.stringify({ inputs: [[x, ...Array(WIDTH - 1).fill(0)]] });
  it.each([
    ['no JSON', () => post('{"inputs": [[1,'), 400, /not JSON/],
    ['null', () => post('null'), 400, /expected {"inputs"/],
    ['no inputs', () => post('{}'), 400, /expected {"inputs"/],
    ['an empty batch', () => post('{"inputs": []}'), 400, /at least one/],
    ['a short sample', () => post('{"inputs": [[1, 2]]}'), 400, /inputs\[0\] is not a list of 784/],
    ['a sample of texts', () => post(row('1')), 400, /inputs\[0\]\[0\] is "1"/],
    ['a sample with null', () => post(row(null)), 400, /inputs\[0\]\[0\] is null/],
    ['a number beyond f32', () => post(row(1e300)), 400, /expected a finite f32 number/],
    ['half a float', () => post(new Uint8Array(7), binary), 400, /7 bytes/],
    ['part of a sample', () => post(new Uint8Array(8), binary), 400, /not a whole number of samples/],
    ['nothing', () => post(new Uint8Array(0), binary), 400, /got no samples/],
    ['more than a batch', () => post(samples(9, 1, WIDTH), binary), 413, /9 samples .* at most 8/],
    [
      'a huge body',
      () => post(new Uint8Array(33 * 2 ** 20), binary),
      413,
      /34603008 bytes, at most 33554432|more than 33554432 bytes/,
    ],
    ['another type', () => post('a=b', { 'content-type': 'text/plain' }), 415, /text\/plain/],
    ['another path', () => app.request('/nothing'), 404, /nothing is at \/nothing/],
    ['another method', () => app.request('/predict'), 405, /takes POST, OPTIONS, not GET/],
  ])('refuses %s', async (_, ask, status, message) => {
    const answer = await ask();
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { error: string }).error).toMatch(message);
  });

  it('tells callers to come again when the queue is full', async () => {
    const small = await engine.predictor(model, { maxBatch: 1, maxQueue: 1, maxDelayMs: 0, cache: false });
    const busy = createApp(small, { maxBatch: 1 });
    const ask = (seed: number) =>
      busy.request('/predict', { method: 'POST', body: samples(1, seed, WIDTH), headers: binary });
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => ask(i)));
    const statuses = answers.map((a) => a.status);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect(answers.find((a) => a.status === 503)!.headers.get('retry-after')).toBe('1');
    await small.close();
    expect((await ask(1)).status).toBe(503);
  });

  it('tells its health and its metrics', async () => {
    expect(await (await app.request('/health')).json()).toMatchObject({
      status: 'ok',
      inputShape: [WIDTH],
      queued: 0,
    });
    const x = samples(1, 77, WIDTH);
    await post(x, binary);
    await post(x, binary);
    const text = await (await app.request('/metrics')).text();
    const { requests, cache } = predictor.stats();
    expect(text).toContain(`biphase_requests_total ${requests}\n`);
    expect(text).toContain(`biphase_cache_hits_total ${cache.hits + cache.joined}\n`);
    expect(text).toMatch(/http_request_duration_seconds_bucket{.*route="\/predict",status="400"} \d+/);
    expect(text).toMatch(/process_cpu_seconds_total/);
  });

  it('answers every request of a load over loopback', async () => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
    try {
      await new Promise<void>((resolve) => server.once('listening', resolve));
      const { port } = server.address() as { port: number };
      const before = predictor.stats();
      const result = await load(`http://127.0.0.1:${port}`, 32, 1, 200);
      expect(result).toMatchObject({ non2xx: 0, errors: 0 });
      expect(result.requestsPerSecond).toBeGreaterThan(100);
      const after = predictor.stats();
      expect(after.failed).toBe(before.failed);
      expect(after.cache.hits).toBeGreaterThan(before.cache.hits);
    } finally {
      server.close();
    }
  });
});
