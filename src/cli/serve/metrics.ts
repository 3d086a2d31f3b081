import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Predictor } from '../../node.ts';

/** Prometheus metrics of the process and of a predictor, whose own counters are read when they are asked for. */
export function metricsOf(predictor: Pick<Predictor, 'stats' | 'cost'>) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      ...{ name: `biphase_${name}`, help, registers },
      collect() {
        this.set(value());
      },
    });
  const total = (name: string, help: string, value: () => number) => {
    const counter = new Counter({
      ...{ name: `biphase_${name}_total`, help, registers },
      collect() {
        counter.reset();
        counter.inc(value());
      },
    });
  };
  const stats = () => predictor.stats();
  total('requests', 'Requests to the predictor', () => stats().requests);
  total('answered', 'Requests answered', () => stats().answered);
  total('overloaded', 'Requests refused because the queue was full', () => stats().overloaded);
  total('aborted', 'Requests whose caller left', () => stats().aborted);
  total('failed', 'Requests that failed', () => stats().failed);
  total('batches', 'Batches run', () => stats().batches);
  total('samples', 'Samples in those batches', () => stats().samples);
  total('cache_hits', 'Requests answered from the cache or by joining another', () => {
    const { hits, joined } = stats().cache;
    return hits + joined;
  });
  total('compute_seconds', 'Time in programs', () => predictor.cost().computeMs / 1000);
  gauge('queued_samples', 'Samples that wait for a batch', () => stats().queued);
  gauge('cache_bytes', 'Bytes held by the cache', () => stats().cache.bytes);
  gauge('memory_bytes', 'Bytes of programs and cache', () => predictor.cost().memoryBytes);
  const seconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer, by route and status',
    labelNames: ['route', 'status'],
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5],
    registers,
  });
  return { registry, seconds };
}
