// What losses of elements and their derivatives share.
override KIND: u32;
const MSE = 0u;
const BCE_WITH_LOGITS = 1u;
const HUBER = 2u;
const L1 = 3u;
const BCE = 4u;
const KL_DIV = 5u;
const KL_DIV_LOG = 6u;
const POISSON_NLL = 7u;
const POISSON_NLL_RATE = 8u;
const HINGE_EMBEDDING = 9u;
const SOFT_MARGIN = 10u;
const SIGMOID_FOCAL = 11u;

// (1 - t) max(x, 0) + t max(-x, 0) + log(1 + e^-|x|): nothing cancels, and a share of 0 makes no NaN of an infinity.
fn logistic(x: f32, t: f32) -> f32 {
  if (is_nan(t)) { return t; }
  let wrong = select(t, 1.0 - t, x > 0.0);
  let y = log1p_safe(exp_safe(-abs(x)));
  if (wrong == 0.0) { return y; }
  return y + wrong * abs(x);
}

// A share of something; none of it is 0, of an infinity too.
fn share(part: f32, whole: f32) -> f32 {
  if (part == 0.0 && !is_nan(whole)) { return 0.0; }
  return part * whole;
}

// log x, also of 0 and infinity; NaN below 0.
fn log_of(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x < 0.0) { return nan(); }
  if (x == 0.0) { return -infinity(); }
  if (bitcast<u32>(x) == bitcast<u32>(infinity())) { return x; }
  return log_safe(x);
}

// log(1 - x) for x from 0 to 1; of a small x as the first terms of its series.
fn log_rest(x: f32) -> f32 {
  if (abs(x) < 0.01) { return -x * (1.0 + x * (0.5 + x * (0.33333333 + x * 0.25))); }
  return log_of(1.0 - x);
}

// The chance that sigmoid(x) gives to what the target is not.
fn wrong_of(x: f32, t: f32) -> f32 { return (1.0 - t) * sigmoid_safe(x) + t * sigmoid_safe(-x); }

// x to the power of gamma, for x from 0 to 1.
fn power(x: f32, gamma: f32) -> f32 {
  if (x == 0.0) { return 0.0; }
  return exp_safe(gamma * log_of(x));
}
