import { writeFileSync } from 'node:fs';
import { Agent, request as ask } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/cli/serve/app.ts';
import { HttpServer, serverDefaults } from '../../src/cli/serve/server.ts';
import type { Predictor, PredictorOptions } from '../../src/index.ts';
import { nn, optim, saveModel } from '../../src/index.ts';
import { request, type Wire, wire } from '../support/http.ts';
import { codeOf, FEATURES, int8Model, samples, sleep, wasmEngine } from '../support/serving.ts';
import { start, temporary } from './cli.ts';

const engine = await wasmEngine();
const model = await int8Model();
afterAll(() => engine.dispose());

const json = { 'content-type': 'application/json' };
const bodyOf = (seed: number) => JSON.stringify({ inputs: [[...samples(1, seed)]] });
const post = (seed: number) => request('POST', '/predict', json, bodyOf(seed));

interface Opened {
  readonly url: string;
  readonly server: HttpServer;
  readonly predictor: Predictor;
  /** Settles to the number of requests that were cut. */
  stop(): Promise<number>;
}

/** A server whose grace time nobody will wait for. */
async function open(options: PredictorOptions = {}, grace = 3600): Promise<Opened> {
  const predictor = await engine.predictor(model, { maxBatch: 8, cache: false, ...options });
  const stopping = new AbortController();
  const app = createApp(predictor, { maxBatch: 8, stopping: stopping.signal });
  const server = await HttpServer.listen(app.fetch, {
    ...{ ...serverDefaults, host: '127.0.0.1', port: 0, grace, keepAlive: 3600 },
    ...{ headerTimeout: 3600, requestTimeout: 3600 },
  });
  const stop = async () => {
    await server.stop();
    stopping.abort();
    const cut = await server.ended;
    await predictor.close();
    return cut;
  };
  return { url: server.url, server, predictor, stop };
}

const answersIn = (text: string) => text.split('HTTP/1.1 200').length - 1;
const queued = async ({ predictor }: Opened, rows: number) => {
  while (predictor.stats().queued < rows) await sleep(2);
};
/** A connection that has been answered once and is kept. */
async function kept(url: string): Promise<Wire> {
  const one = await wire(url, request('GET', '/health'));
  await one.has('"ok"');
  return one;
}

describe('a server that is told to stop', () => {
  it('waits for nobody who asks nothing', async () => {
    const { url, stop } = await open();
    const silent = [
      await wire(url),
      await wire(url, 'GE'),
      await wire(url, 'GET /health HTTP/1.1\r\nhost: x\r\n'),
      await kept(url),
    ];
    await sleep(50);
    expect(await stop()).toBe(0);
    for (const one of silent) expect(await one.closed).toBeUndefined();
    expect(await codeOf(fetch(url).catch((error) => Promise.reject(error.cause)))).toBe('ECONNREFUSED');
  });

  it('answers what it has taken at once, however long samples wait for others, and closes', async () => {
    const opened = await open({ maxDelayMs: 60_000 });
    const { url, stop } = opened;
    const waiting = await wire(url, post(1));
    const piped = await wire(url, post(2) + post(3));
    const late = await kept(url);
    const sending = await wire(
      url,
      request('POST', '/predict', { ...json, 'content-length': bodyOf(4).length }),
    );
    await queued(opened, 3);
    await sleep(50);
    const ended = stop();
    // A connection that was kept may still bring what was on its way.
    late.socket.write(post(5));
    await Promise.all([waiting.closed, piped.closed, late.closed]);
    sending.socket.write(bodyOf(4));
    expect(await ended).toBe(0);
    for (const one of [waiting, piped, late, sending]) {
      expect(await one.closed).toBeUndefined();
      expect(one.text().match(/connection: close/gi)).toHaveLength(1);
    }
    expect([waiting, piped, late, sending].map((one) => answersIn(one.text()))).toEqual([1, 2, 2, 1]);
    // Of two answers on one connection the last closes it.
    expect(piped.text().search(/connection: close/i)).toBeGreaterThan(piped.text().indexOf('"outputs"'));
    expect(opened.predictor.stats()).toMatchObject({ answered: 5, aborted: 0, underWay: 0 });
  });

  it('cuts what is left when its grace time is over, and says how much', async () => {
    const opened = await open({}, 0.3);
    const sending = request('POST', '/predict', { ...json, 'content-length': 1000 });
    const half = [await wire(opened.url, sending), await wire(opened.url, sending)];
    await sleep(50);
    expect(await opened.stop()).toBe(2);
    for (const one of half) {
      await one.closed;
      expect(one.text()).toBe('');
    }
  });

  it('loses no request of many clients that go on and on', async () => {
    const opened = await open({ maxBatch: 64, maxQueue: 64 });
    const { port } = new URL(opened.url);
    // One connection each, which is kept.
    const agents = Array.from({ length: 64 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const counts = { answered: 0, refused: 0 };
    const rounds: number[] = Array(64).fill(0);
    const problems: string[] = [];
    const once = (seed: number) =>
      new Promise<string>((resolve) => {
        const asked = ask(
          { port, agent: agents[seed], method: 'POST', path: '/predict', headers: json },
          (answer) => {
            answer.resume().on('end', () => resolve(`${answer.statusCode}`));
          },
        );
        asked.on('error', ({ code, message }: NodeJS.ErrnoException) => resolve(code ?? message));
        asked.end(bodyOf(seed));
      });
    const clients = Array.from({ length: 64 }, async (_, seed) => {
      for (;;) {
        const end = await once(seed);
        if (end === '200') {
          counts.answered++;
          rounds[seed]++;
        } else {
          // Nobody listens any more: that request was never taken.
          if (end === 'ECONNREFUSED') counts.refused++;
          else problems.push(end);
          return;
        }
      }
    });
    while (rounds.some((n) => n < 5)) await sleep(5);
    expect(await opened.stop()).toBe(0);
    await Promise.all(clients);
    for (const agent of agents) agent.destroy();
    expect(problems).toEqual([]);
    expect(counts.refused).toBe(64);
    expect(opened.predictor.stats()).toMatchObject({ answered: counts.answered, aborted: 0, failed: 0 });
  });
});

describe('biphase serve', () => {
  const { folder, remove } = temporary();
  beforeAll(async () => {
    const training = await engine.train(nn.sequential(nn.linear(FEATURES, 3)), {
      ...{ loss: nn.mse, optimizer: optim.sgd(), input: [FEATURES] },
    });
    writeFileSync(join(folder, 'm.safetensors'), await saveModel(await training.freeze()));
    training.dispose();
  });
  afterAll(remove);
  const serve = async (...args: string[]) => {
    const started = start(
      folder,
      'serve',
      'm.safetensors',
      '--port',
      '0',
      '--threads',
      '1',
      '--json',
      ...args,
    );
    const { url } = JSON.parse(await started.says('stdout', '}')) as { url: string };
    return { ...started, url };
  };

  it('ends on SIGTERM although a connection never spoke and a sample waits for others', async () => {
    const { url, child, ended } = await serve('--max-delay', '60000');
    const silent = await wire(url);
    const waiting = await wire(url, post(1));
    while (!/"queued":1/.test(await (await fetch(`${url}/health`)).text())) await sleep(5);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0 });
    await silent.closed;
    expect(answersIn(waiting.text())).toBe(1);
  });

  it('ends at once on a second signal', async () => {
    const { url, child, ended } = await serve('--grace', '3600');
    const half = await wire(url, request('POST', '/predict', { ...json, 'content-length': 1000 }));
    await fetch(`${url}/health`);
    child.kill('SIGTERM');
    await sleep(300);
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
    await half.closed;
  });
});
