/**
 * Answers over HTTP with a model from a file: callers that come together share a batch, and what was asked before is known.
 * `npx tsx serve.ts digits.safetensors`, then POST one sample as f32 bytes to http://127.0.0.1:8080/predict.
 * (`npx biphase serve` is this with limits, JSON, CORS and metrics.)
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BiphaseError, createEngine, loadModel } from 'biphase';

const [file = 'digits.safetensors', port = '8080'] = process.argv.slice(2);
const { model } = await loadModel(readFileSync(file));
const engine = await createEngine();
const predictor = await engine.predictor(model, {
  maxBatch: 64,
  maxQueue: 1024,
  cache: { maxBytes: 2 ** 24 },
});

async function bodyOf(request: IncomingMessage, most: number): Promise<Float32Array> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > most) throw new BiphaseError('invalid_argument', `more than ${most} bytes`);
    parts.push(part);
  }
  // A copy of its own: floats begin at a multiple of four bytes.
  return new Float32Array(new Uint8Array(Buffer.concat(parts)).buffer.slice(0, bytes - (bytes % 4)));
}

/** The caller's mistake, or ours; while there is too much to do, or nothing any more, neither. */
function statusOf(error: unknown): number {
  const code = error instanceof BiphaseError ? error.code : 'internal';
  if (code === 'overloaded' || code === 'disposed') return 503;
  return ['invalid_argument', 'shape_mismatch', 'out_of_range', 'not_finite'].includes(code) ? 400 : 500;
}

const server = createServer(async (request, response) => {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    if (request.method !== 'POST' || request.url !== '/predict') {
      response.writeHead(404).end('POST /predict\n');
      return;
    }
    const answer = await predictor.predict(await bodyOf(request, 2 ** 20), gone.signal);
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    response.end(new Uint8Array(answer.buffer, answer.byteOffset, answer.byteLength));
  } catch (error) {
    if (!response.destroyed) response.writeHead(statusOf(error)).end(`${(error as Error).message}\n`);
  }
});
server.listen(Number(port), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/predict`);
});

process.once('SIGTERM', () => {
  server.close(async () => {
    await predictor.close();
    engine.dispose();
  });
  server.closeIdleConnections();
});
