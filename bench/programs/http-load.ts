/** Loads a server on loopback with autocannon: `tsx bench/programs/http-load.ts [url] [seconds]`, one line for each load. */
import autocannon from 'autocannon';

/** Of a picture of a digit. */
const PIXELS = 28 * 28;

export interface LoadResult {
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly non2xx: number;
  readonly errors: number;
}

/** Distinct bodies, so that the cache does not answer for the network. */
const bodies = (count: number) =>
  Array.from({ length: count }, (_, c) =>
    Buffer.from(Float32Array.from({ length: PIXELS }, (_, i) => Math.sin(c * PIXELS + i)).buffer),
  );

export async function load(
  url: string,
  connections: number,
  seconds: number,
  distinct = 2000,
): Promise<LoadResult> {
  const headers = { 'content-type': 'application/octet-stream', accept: 'application/octet-stream' };
  const requests = bodies(distinct).map((body) => ({
    method: 'POST' as const,
    path: '/predict',
    headers,
    body,
  }));
  let client = 0;
  const result = await autocannon({
    ...{ url, connections, duration: seconds, requests },
    // Each connection begins elsewhere, or all would ask for the same at the same time.
    setupClient: (c) => {
      const from = Math.floor((client++ * distinct) / connections);
      c.setRequests([...requests.slice(from), ...requests.slice(0, from)]);
    },
  });
  return {
    ...{
      connections,
      requestsPerSecond: result.requests.average,
      p50: result.latency.p50,
      p99: result.latency.p99,
    },
    ...{ non2xx: result.non2xx, errors: result.errors },
  };
}

if (process.argv[1]?.endsWith('http-load.ts')) {
  const [url = 'http://127.0.0.1:8080', seconds = '5'] = process.argv.slice(2);
  for (const connections of [1, 16, 64])
    console.log(JSON.stringify(await load(url, connections, Number(seconds))));
}
