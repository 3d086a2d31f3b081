import type { Backend } from '../../backend/backend.ts';
import { costByLayer, costOfSteps, type Plan } from '../../graph/plan.ts';
import type { Backends } from './backends.ts';
import { type ExplainedBackend, type Explanation, explanation } from './explain.ts';
import { Ledger } from './ledger.ts';
import { type Prediction, predict } from './predict.ts';
import { measureRates, type Rates } from './rates.ts';

/** A run and its wait take a real GPU at least about this long, in ms: below it, it is not even looked at. */
const LEAST_GPU_MS = 0.3;
/** Another backend must be better by this much: predictions are rough, and moving costs. */
const MARGIN = 0.8;

/** Decides where a plan runs, and says why. */
export class Chooser {
  readonly ledger = new Ledger();
  private readonly backends: Backends;
  /** Whether there is a choice: the person asked for 'auto'. */
  private readonly free: boolean;
  private readonly rates = new WeakMap<Backend, Promise<Rates>>();

  constructor(backends: Backends, free: boolean) {
    this.backends = backends;
    this.free = free;
  }

  /**
   * The backend for a plan: the engine's own, unless 'auto' was asked for, another is there, and the plan is predicted (or,
   * once it has run, measured) to be clearly faster on it. Nothing is measured where there is no choice.
   */
  async backendFor(plan: Plan): Promise<Backend> {
    const { main } = this.backends;
    if (!this.free || !this.backends.mayHaveOther) return main;
    // A backend that breaks while it is measured is no choice.
    return this.faster(main, plan).catch(() => main);
  }

  private async faster(main: Backend, plan: Plan): Promise<Backend> {
    const here = await this.timeOn(main, plan);
    if (here === undefined) return (await this.backends.other()) ?? main;
    if (here < LEAST_GPU_MS / MARGIN) return main;
    const other = await this.backends.other();
    if (!other) return main;
    const there = await this.timeOn(other, plan);
    return there !== undefined && there < here * MARGIN ? other : main;
  }

  /** What each backend would take for a plan, what was chosen, and why. Measures the backends that it has not measured yet. */
  async explain(plan: Plan): Promise<Explanation> {
    const chosen = await this.backendFor(plan);
    const rows: ExplainedBackend[] = [];
    const chosenMs = await this.timeOn(chosen, plan);
    for (const { name, backend, reason } of await this.backends.all()) {
      const missing = backend ? unsupported(backend, plan) : reason;
      const predicted = backend && !missing ? await this.predictOn(backend, plan) : undefined;
      const measuredMs = backend && this.ledger.measured(name, plan);
      const isChosen = backend === chosen;
      rows.push({
        ...{ backend: name, predicted, measuredMs, chosen: isChosen },
        reason: missing ?? this.why(isChosen, measuredMs ?? predicted!.ms, chosenMs),
      });
    }
    const cost = { ...costOfSteps(plan.steps), layers: costByLayer(plan.steps) };
    return explanation(plan.name, cost, rows);
  }

  private why(isChosen: boolean, ms: number, chosenMs: number | undefined): string {
    if (isChosen) return this.free ? 'chosen: nothing is clearly faster' : 'chosen: it was asked for';
    if (!this.free) return 'not chosen: another was asked for';
    const times = chosenMs ? ms / chosenMs : 1;
    return times > 1
      ? `not chosen: ${times.toPrecision(2)} times as long`
      : 'not chosen: not faster by a fifth';
  }

  /** In ms, as measured or else predicted; undefined where it can't run there. */
  private async timeOn(backend: Backend, plan: Plan): Promise<number | undefined> {
    if (unsupported(backend, plan)) return undefined;
    return this.ledger.measured(backend.name, plan) ?? (await this.predictOn(backend, plan)).ms;
  }

  private async predictOn(backend: Backend, plan: Plan): Promise<Prediction> {
    let rates = this.rates.get(backend);
    if (!rates) {
      rates = measureRates(backend);
      this.rates.set(backend, rates);
      // A backend that breaks while it is measured is measured again when it is asked about again.
      rates.catch(() => this.rates.delete(backend));
    }
    return predict(plan, await rates);
  }
}

/** Why a backend can't run a plan; undefined where it can. */
function unsupported(backend: Backend, plan: Plan): string | undefined {
  const reasons = new Set<string>();
  for (const step of plan.steps) {
    const answer = backend.supports(step);
    if (answer !== true) reasons.add(`${step.op}: ${answer.reason}`);
  }
  return reasons.size ? `can't run it: ${[...reasons].join('; ')}` : undefined;
}
