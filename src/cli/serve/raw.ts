import { BiphaseError, data, type Predictor } from '../../node.ts';
import type { ModelFacts } from '../data/facts.ts';

/** The same predictor for samples as their sources have them: what the training did to its inputs is done to these. */
export function onRaw(predictor: Predictor, { transform }: ModelFacts): Predictor {
  if (!transform) return predictor;
  const size = predictor.inputShape.reduce((a, b) => a * b, 1);
  const predict: Predictor['predict'] = async (given, signal) => {
    // What has a transform takes floats; anything else is refused by the predictor.
    const samples = given as Float32Array;
    // What is no whole number of samples is refused by the predictor, in its words.
    const whole = samples.length % size === 0;
    const seen = whole ? data.transformed(samples, size, transform) : samples;
    const lost = seen.findIndex((x, i) => !Number.isFinite(x) && Number.isFinite(samples[i]));
    if (lost >= 0)
      throw new BiphaseError(
        'out_of_range',
        `input ${lost % size} of sample ${Math.floor(lost / size)} is ${samples[lost]}, more than f32 holds once it is scaled`,
      );
    return predictor.predict(seen, signal);
  };
  return Object.create(predictor, { predict: { value: predict } });
}
