import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { type AppOptions, createApp } from '../../src/cli/serve/app.ts';
import { readKeys } from '../../src/cli/serve/keys.ts';
import { HttpServer, type ServerOptions, serverDefaults } from '../../src/cli/serve/server.ts';
import { nn, optim } from '../../src/index.ts';
import { request, wire } from '../support/http.ts';
import { measurements, trainClassifier, trainRegression } from '../support/named-models.ts';
import { int8Model, referenceEngine, samples, sleep, wasmEngine } from '../support/serving.ts';

const engine = await wasmEngine();
const model = await int8Model();
const settings = { maxBatch: 4, maxQueue: 64 };
const predictor = await engine.predictor(model, settings);
const alone = await engine.infer(model);
const servers: HttpServer[] = [];

async function open(options: Partial<AppOptions & ServerOptions> = {}, of = predictor) {
  const app = createApp(of, { maxBatch: 4, ...options });
  const server = await HttpServer.listen(app.fetch, {
    ...{ ...serverDefaults, host: '127.0.0.1', port: 0, grace: 5 },
    ...options,
  });
  servers.push(server);
  return server;
}
const server = await open();
const { url } = server;
afterAll(async () => {
  await Promise.all(servers.map((s) => s.stop()));
  await Promise.all(servers.map((s) => s.ended));
  await predictor.close();
  engine.dispose();
});

const x = samples(1, 1);
const want = await alone(x);
const body = JSON.stringify({ inputs: [[...x]] });
const json = { 'content-type': 'application/json' };
const ask = (headers: Record<string, string> = {}, sent: BodyInit = body, at = url) =>
  fetch(`${at}/predict`, { method: 'POST', headers: { ...json, ...headers }, body: sent });
const errorOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;

describe('a model whose inputs and outputs have names', () => {
  const post = (app: ReturnType<typeof createApp>, sent: unknown, headers = json) =>
    app.request('/predict', { method: 'POST', headers, body: JSON.stringify(sent) });

  it('takes rows for each, and gives rows for each', async () => {
    const named = await (await trainRegression(engine)).freeze();
    const of = await engine.predictor(named, { maxBatch: 4 });
    const app = createApp(of, { maxBatch: 4 });
    const { inputs } = measurements(2, 5);
    const rows = (a: Float32Array | Uint8Array, n: number) => [[...a.subarray(0, n)], [...a.subarray(n)]];
    const sent = { values: rows(inputs.values, 4), image: rows(inputs.image, 6) };
    const { outputs } = (await (await post(app, { inputs: sent })).json()) as { outputs: unknown };
    const { sum, gap } = await of.predict(inputs);
    expect(outputs).toEqual({ sum: [[sum[0]], [sum[1]]], gap: rows(gap, 2) });
    expect(await (await app.request('/health')).json()).toMatchObject({ inputs: named.inputs });
    const refused: [unknown, number, RegExp][] = [
      [{ inputs: { values: sent.values } }, 400, /inputs.image is no list of rows/],
      [{ inputs: { ...sent, other: [] } }, 400, /there is no input "other"; expected .*"values": .*"image"/],
      [{ inputs: [[1, 2, 3, 4]] }, 400, /expected {"inputs": {"values"/],
      [
        { inputs: { ...sent, image: [[1, 2, 3, 4, 5, 256]] } },
        400,
        /inputs.image\[0\]\[5\] is 256, expected a byte/,
      ],
      [
        { inputs: { ...sent, image: sent.image.slice(1) } },
        400,
        /inputs.image has 6 values, expected 2 samples/,
      ],
    ];
    for (const [body, status, message] of refused) {
      const answer = await post(app, body);
      expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([
        status,
        expect.stringMatching(message),
      ]);
    }
    const binary = await post(app, {}, { 'content-type': 'application/octet-stream' });
    expect(binary.status).toBe(415);
    await of.close();
  });

  it('refuses an id that has no row, and says where it is', async () => {
    const of = await engine.predictor(await (await trainClassifier(engine)).freeze(), { maxBatch: 4 });
    const row = { ids: [[...new Array(11).fill(1), 50]], mask: [new Array(12).fill(1)] };
    const answer = await post(createApp(of, { maxBatch: 4 }), { inputs: row });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      code: 'out_of_range',
      error: expect.stringMatching(/'inputs.ids' holds 50/),
    });
    await of.close();
  });
});

describe('media types', () => {
  it.each([
    ['application/json', 200],
    ['Application/JSON', 200],
    ['application/json; charset=utf-8', 200],
    ['application/json;charset="UTF-8"', 200],
    [' application/json ;q=1', 200],
    ['application/json; charset=utf-16', 415],
    ['application/jsonl', 415],
    ['text/plain', 415],
  ])('content-type %s: %i', async (type, status) => {
    const answer = await ask({ 'content-type': type });
    expect(answer.status).toBe(status);
    if (status === 415)
      expect(answer.headers.get('accept')).toBe('application/json, application/octet-stream');
  });

  it.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['application/octet-stream', 'application/octet-stream'],
    ['APPLICATION/Octet-Stream', 'application/octet-stream'],
    ['text/html, application/octet-stream;q=0.9, */*;q=0.1', 'application/octet-stream'],
    ['application/json;q=0.5, application/octet-stream;q=0.8', 'application/octet-stream'],
    ['application/json;q=0.8, application/octet-stream;q=0.5', 'application/json'],
    ['application/octet-stream;q=0, */*', 'application/json'],
    ['application/json;q=0, */*', 'application/octet-stream'],
    ['text/html', undefined],
    ['*/*;q=0', undefined],
  ])('accept %s: %s', async (accept, type) => {
    const answer = await createApp(predictor, { maxBatch: 4 }).request('/predict', {
      method: 'POST',
      headers: accept ? { ...json, accept } : json,
      body,
    });
    if (!type) {
      expect(answer.status).toBe(406);
      expect(await errorOf(answer)).toBe('not_acceptable');
      return;
    }
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.headers.get('vary')).toContain('accept');
    const values =
      type === 'application/json'
        ? ((await answer.json()) as { outputs: number[][] }).outputs.flat()
        : [...new Float32Array(await answer.arrayBuffer())];
    expect(values).toEqual([...want]);
  });

  it('takes bodies as they are only', async () => {
    expect((await ask({ 'content-encoding': 'identity' })).status).toBe(200);
    const answer = await ask({ 'content-encoding': 'gzip' });
    expect(answer.status).toBe(415);
    expect(answer.headers.get('accept-encoding')).toBe('identity');
    expect(((await answer.json()) as { error: string }).error).toContain('content-encoding is gzip');
  });
});

describe('methods and paths', () => {
  it.each([
    ['GET', '/predict', 405, 'POST, OPTIONS'],
    ['HEAD', '/predict', 405, 'POST, OPTIONS'],
    ['DELETE', '/predict', 405, 'POST, OPTIONS'],
    ['POST', '/health', 405, 'GET, HEAD, OPTIONS'],
    ['PUT', '/metrics', 405, 'GET, HEAD, OPTIONS'],
    ['OPTIONS', '/predict', 204, 'POST, OPTIONS'],
    ['OPTIONS', '/health', 204, 'GET, HEAD, OPTIONS'],
    ['OPTIONS', '/', 204, 'GET, HEAD, POST, OPTIONS'],
    ['HEAD', '/health', 200, null],
    ['GET', '/', 404, null],
    ['OPTIONS', '/nothing', 404, null],
  ])('%s %s: %i', async (method, path, status, allow) => {
    const answer = await fetch(`${url}${path}`, { method });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('allow')).toBe(allow);
    if (status >= 400 && method !== 'HEAD')
      expect(await errorOf(answer)).toBe(status === 404 ? 'not_found' : 'method_not_allowed');
    if (method === 'HEAD') expect(await answer.text()).toBe('');
  });

  it('pages of other origins may ask where they are named', async () => {
    const preflight = { origin: 'https://a.example', 'access-control-request-method': 'POST' };
    const plain = await fetch(`${url}/predict`, { method: 'OPTIONS', headers: preflight });
    expect(plain.headers.get('access-control-allow-origin')).toBeNull();
    const { url: other } = await open({ cors: ['https://a.example', 'https://b.example'], keys: ['k'] });
    const allowed = await fetch(`${other}/predict`, { method: 'OPTIONS', headers: preflight });
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://a.example');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('content-type');
    // Errors can be read by the page as well.
    const refused = await ask({ origin: 'https://b.example' }, body, other);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://b.example');
    const stranger = await ask({ origin: 'https://c.example', 'x-api-key': 'k' }, body, other);
    expect(stranger.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('limits', () => {
  it('counts samples, not bytes: white space is free, samples are not', async () => {
    const one = await engine.predictor(model, { maxBatch: 1 });
    const { url: small } = await open({ maxBatch: 1 }, one);
    const roomy = `{\n${' '.repeat(100_000)}"inputs": [\n [\n${[...x].join(`\n${' '.repeat(4000)},\n`)}\n ]\n ]\n}`;
    expect((await ask({}, roomy, small)).status).toBe(200);
    const two = JSON.stringify({ inputs: [[...x], [...x]] });
    const binary = { 'content-type': 'application/octet-stream' };
    for (const answer of [await ask({}, two, small), await ask(binary, samples(2, 1), small)]) {
      expect(answer.status).toBe(413);
      expect(await answer.json()).toEqual({
        error: '2 samples in one request, at most 1 are taken (--max-batch)',
        code: 'too_large',
      });
    }
    await one.close();
  });

  it('a client that is still sending gets to read that its body is too large', async () => {
    const { url: small } = await open({ maxBody: 1000 });
    for (const length of ['content-length: 40000', 'transfer-encoding: chunked']) {
      const chunked = length.includes('chunked');
      const slow = await wire(
        small,
        `POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${length}\r\n\r\n`,
      );
      for (let i = 0; i < 40; i++) {
        slow.socket.write(chunked ? `3e8\r\n${' '.repeat(1000)}\r\n` : ' '.repeat(1000));
        await sleep(20);
      }
      if (chunked) slow.socket.write('0\r\n\r\n');
      expect(await slow.has('"too_large"}')).toMatch(/^HTTP\/1.1 413 /);
      // And the connection is as good as before.
      slow.socket.write(request('GET', '/health'));
      await slow.has('"ok"');
      slow.socket.destroy();
    }
  });

  it('bounds headers, and the time for them and for bodies', async () => {
    const { url: strict } = await open({ maxHeader: 2048, headerTimeout: 0.2, requestTimeout: 0.4 });
    const large = await wire(strict, request('GET', '/health', { cookie: 'c'.repeat(4000) }));
    expect(await large.has('"too_large"')).toMatch(/^HTTP\/1.1 431 /);
    const slow = await wire(strict, 'GET /health HTTP/1.1\r\nhost: x\r\nx: ');
    expect(await slow.has('"timeout"')).toMatch(/^HTTP\/1.1 408 /);
    const half = await wire(strict, request('POST', '/predict', { ...json, 'content-length': 100 }), '{');
    expect(await half.has('"timeout"')).toMatch(/^HTTP\/1.1 408 /);
    for (const one of [large, slow, half]) expect(await one.closed).toBeUndefined();
  });

  it('takes no more connections than it is told', async () => {
    const { url: few } = await open({ maxConnections: 2 });
    const [first, second] = [await wire(few), await wire(few)];
    const third = await wire(few, request('GET', '/health'));
    await third.closed;
    expect(third.text()).toBe('');
    first.socket.write(request('GET', '/health'));
    await first.has('"ok"');
    for (const { socket } of [first, second]) socket.destroy();
  });
});

describe('the protocol', () => {
  it('pipelined requests, chunks, an announced body and old clients', async () => {
    const post = request('POST', '/predict', json, body);
    const piped = await wire(url, post + request('GET', '/health') + post);
    await piped.has('"ok"');
    while (piped.text().split('"outputs"').length < 3) await sleep(5);
    expect(piped.text().match(/HTTP\/1.1 200/g)).toHaveLength(3);
    expect(piped.text().indexOf('"ok"')).toBeGreaterThan(piped.text().indexOf('"outputs"'));
    piped.socket.destroy();
    const chunks = await wire(url, request('POST', '/predict', { ...json, 'transfer-encoding': 'chunked' }));
    for (const part of [body.slice(0, 7), body.slice(7)])
      chunks.socket.write(`${part.length.toString(16)}\r\n${part}\r\n`);
    chunks.socket.write('0\r\n\r\n');
    await chunks.has('"outputs"');
    chunks.socket.destroy();
    const expecting = await wire(
      url,
      request('POST', '/predict', { ...json, expect: '100-continue', 'content-length': body.length }),
    );
    await expecting.has('100 Continue');
    expecting.socket.write(body);
    await expecting.has('"outputs"');
    expecting.socket.destroy();
    const whole = await wire(url, 'OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await whole.has('\r\n\r\n')).toMatch(/^HTTP\/1.1 204 .*allow: GET, HEAD, POST, OPTIONS/s);
    whole.socket.destroy();
    const old = await wire(url, 'GET /health HTTP/1.0\r\n\r\n');
    expect(await old.closed).toBeUndefined();
    expect(old.text()).toContain('"status":"ok"');
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['two lengths', 'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    ['a length that is none', 'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: ten\r\n\r\n'],
    ['a host that is none', 'GET /health HTTP/1.1\r\nhost: a b\r\n\r\n'],
  ])('%s: 400 with a code', async (_, text) => {
    const bad = await wire(url, text);
    expect(await bad.has('"bad_request"')).toMatch(/^HTTP\/1.1 400 /);
    bad.socket.destroy();
  });

  it('a client that leaves is counted, and nothing else happens', async () => {
    const slow = await engine.predictor(model, { ...settings, maxDelayMs: 60_000, cache: false });
    const { url: waits } = await open({}, slow);
    const error = vi.spyOn(console, 'error');
    const info = vi.spyOn(console, 'info');
    const left = await wire(waits, request('POST', '/predict', json, body));
    while (slow.stats().queued === 0) await sleep(2);
    left.socket.destroy();
    while (slow.stats().aborted === 0) await sleep(2);
    for (const [name, value] of Object.entries({ 'content-length': 50, 'transfer-encoding': 'chunked' })) {
      const half = await wire(
        waits,
        request('POST', '/predict', { ...json, [name]: value }),
        '5\r\n{"inp\r\n',
      );
      await sleep(30);
      half.socket.destroy();
    }
    const cancelled = /http_request_duration_seconds_count{route="\/predict",status="cancelled"} 3\n/;
    await vi.waitFor(async () => expect(await (await fetch(`${waits}/metrics`)).text()).toMatch(cancelled));
    expect(await (await fetch(`${waits}/metrics`)).text()).not.toContain('status="500"');
    expect(error).not.toHaveBeenCalled();
    expect(info).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    await slow.close();
  });
});

describe('numbers that JSON has not', () => {
  it('are texts in JSON, and themselves in bytes', async () => {
    const reference = referenceEngine();
    const options = { loss: nn.mse, optimizer: optim.sgd(), input: [1], seed: 1 };
    const training = await reference.train(nn.linear(1, 2, { bias: false }), options);
    const p = await reference.predictor(await training.freeze(), { maxBatch: 4 });
    const { url: at } = await open({}, p);
    const binary = { 'content-type': 'application/octet-stream' };
    const given = Float32Array.of(Infinity, -Infinity, NaN, 1);
    const { outputs } = (await (await ask(binary, given, at)).json()) as { outputs: unknown[][] };
    const accept = { accept: 'application/octet-stream' };
    const bytes = await (await ask({ ...binary, ...accept }, given, at)).arrayBuffer();
    const values = [...new Float32Array(bytes)];
    expect(values.map(Math.abs).slice(0, 6)).toEqual([Infinity, Infinity, Infinity, Infinity, NaN, NaN]);
    expect(values[2]).toBe(-values[0]);
    expect(outputs.flat().slice(0, 6)).toEqual(values.slice(0, 6).map(String));
    expect(outputs[3]).toEqual(values.slice(6));
    await p.close();
    reference.dispose();
  });
});

describe('keys', () => {
  it('are needed for all but the health, in either header', async () => {
    const { url: at } = await open({ keys: ['first-key', 'second-key'] });
    expect((await fetch(`${at}/health`)).status).toBe(200);
    const none = await ask({}, body, at);
    expect(none.status).toBe(401);
    expect(none.headers.get('www-authenticate')).toBe('Bearer');
    expect((await fetch(`${at}/metrics`)).status).toBe(401);
    const status = async (headers: Record<string, string>) => (await ask(headers, body, at)).status;
    expect(await status({ authorization: 'Bearer first-key' })).toBe(200);
    expect(await status({ authorization: 'bearer second-key' })).toBe(200);
    expect(await status({ 'x-api-key': 'second-key' })).toBe(200);
    for (const wrong of ['first-ke', 'first-key2', 'FIRST-KEY', 'Basic first-key'])
      expect([wrong, await status({ authorization: `Bearer ${wrong}` })]).toEqual([wrong, 401]);
    expect(await status({ authorization: 'Basic first-key' })).toBe(401);
    expect(await status({ 'x-api-key': '' })).toBe(401);
  });

  it('come from a file that is one, holds some, and is not for all to read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'biphase-keys-'));
    const path = join(folder, 'keys');
    const write = (text: string, mode = 0o600) => {
      writeFileSync(path, text);
      chmodSync(path, mode);
    };
    write('one\r\n\n  two  \n');
    expect(await readKeys(path)).toEqual(['one', 'two']);
    write('one\n', 0o640);
    expect(await readKeys(path)).toEqual(['one']);
    for (const mode of [0o644, 0o660, 0o602]) {
      write('one\n', mode);
      await expect(readKeys(path)).rejects.toThrow(/may be read or written by others .*chmod 600/);
    }
    for (const [text, message] of [
      ['', /holds no keys/],
      ['\n \n', /holds no keys/],
      ['one\ntwo words\n', /line 2 holds spaces/],
    ] as const) {
      write(text);
      await expect(readKeys(path)).rejects.toMatchObject({ code: 'invalid_data', message });
    }
    await expect(readKeys(folder)).rejects.toThrow(/is not a file/);
    await expect(readKeys(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
    rmSync(folder, { recursive: true });
  });
});
