/** What test/runtimes/suite.js says of a runtime. */
export interface Report {
  readonly losses: readonly number[];
  /** Digests of trained weights and of int8 outputs: equal digests are equal bits. */
  readonly weights: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly describe: string;
  readonly description: string;
  readonly auto: { readonly name: string; readonly build: 'simd128' | 'relaxed'; readonly threads: number };
  readonly own: { readonly build: string; readonly weights: string };
  readonly kernels: Readonly<Record<'plain' | 'auto', { readonly build: string; readonly bits: string }>>;
  readonly webgpu: { readonly available: boolean; readonly text: string };
}

/** How a runtime is to be had: its report, or, in words, why it is not here. */
export interface Runtime {
  readonly name: string;
  /** Threads are to be had there. Of a machine with one processor nothing can be said. */
  readonly threads: boolean;
  readonly relaxed: boolean;
  run(folder: string): Promise<Report | string>;
}

/** What is wrong with a report, beside the first one of the run. */
export function problemsOf(
  runtime: Pick<Runtime, 'threads' | 'relaxed'>,
  report: Report,
  first: Report,
  processors: number,
): string[] {
  const problems: string[] = [];
  const same = (what: string, got: string, want: string) => {
    if (got !== want) problems.push(`${what}: ${got}, expected ${want}`);
  };
  for (const [backend, bits] of Object.entries(report.outputs))
    same(`int8 outputs on ${backend}`, bits, first.outputs.reference);
  same('weights after training, simd128', report.weights, first.weights);
  same('losses, simd128', report.losses.join(' '), first.losses.join(' '));
  if (report.own.build === 'simd128')
    same("weights after training by 'auto'", report.own.weights, first.weights);
  same('kernels, simd128', report.kernels.plain.bits, first.kernels.plain.bits);
  const int8 = (bits: string) => bits.split(' ')[1];
  same('int8 kernels', int8(report.kernels.auto.bits), int8(first.kernels.plain.bits));
  same('the build chosen', report.auto.build, runtime.relaxed ? 'relaxed' : 'simd128');
  if (!(report.losses.at(-1)! < report.losses[0]))
    problems.push(`it did not learn: ${report.losses.join(' ')}`);
  if (runtime.threads && processors > 1 && report.auto.threads < 2)
    problems.push(`no threads: ${report.description}`);
  if (!runtime.threads && report.auto.threads > 1) problems.push('threads, where none were expected');
  return problems;
}
